import {
  DOUBTED_S,
  LENGTHS_SWAPPED,
  MOST_LINKS,
  PATCHED,
  PATCHED_HEADER_BYTES,
  RECORD_HEADER_BYTES,
  SWAPPED,
  WITNESSES,
} from '../layout/framing.ts';
import { type Headers, headersIn, IMPLAUSIBLE } from './boundary.ts';
import { interfacesOf, type Section, surplusOf } from './section.ts';

/**
 * Whether what stands at `at` is a record of pcap, although its time is far from `clock`, whole seconds since 1970, by the records that follow:
 * as the decoder does it (doubt() in assembly/pcap.ts), so that a capture is the same however it is read. Undefined: what would tell has not come yet.
 * @param atEnd whether the capture ends where `bytes` do
 */
export function isDoubtedRecord(bytes: Uint8Array, at: number, atEnd: boolean, section: Section, clock: number): boolean | undefined {
  const { form } = section;
  const [only] = interfacesOf(section);
  if (!only) throw new Error('a pcap section without its interface');
  const { units, limit, linkType } = only;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const little = (form & SWAPPED) === 0;
  const header = (form & PATCHED) === 0 ? RECORD_HEADER_BYTES : PATCHED_HEADER_BYTES;
  const stamp = view.getUint32(at, little);
  const grows = clock < units && stamp >= clock;
  let before = stamp;
  let place = at;
  let wrong = false;
  for (let witness = 0; witness <= WITNESSES; witness++) {
    if (place + header > bytes.length) return atEnd ? witness > 0 && place === bytes.length : undefined;
    const seconds = view.getUint32(place, little);
    const fraction = view.getUint32(place + 4, little);
    const captured = view.getUint32(place + 8, little);
    const original = view.getUint32(place + 12, little);
    if (captured === 0 || original === 0 || captured > limit) return false;
    const lengthsSwapped = (form & LENGTHS_SWAPPED) !== 0;
    if (captured > original + surplusOf(linkType) && !lengthsSwapped) return false;
    const whole = fraction < units;
    // It is only the time that is wrong.
    if (witness === 1 && whole && Math.abs(seconds - clock) <= DOUBTED_S) return !endsInRecords(bytes, at + header, place, section, clock);
    if (witness > 0 ? wrong || !whole : !whole && original > limit) return false;
    if (witness > 0 && seconds < units && Math.abs(seconds - stamp) > DOUBTED_S && !(grows && seconds >= before && original <= limit))
      return false;
    before = seconds;
    wrong = !whole;
    place += header + (lengthsSwapped ? Math.min(captured, original) : captured);
    if (place > bytes.length) return atEnd ? false : undefined;
  }
  return true;
}

/** Whether bytes are records, one behind the other and not a byte more, as areRecords() in assembly/pcap.ts. */
export function areRecords(bytes: Uint8Array, from: number, to: number, section: Section, near: number): boolean {
  const lengthAt = lengthsOfThisDay(headersIn(bytes, section));
  let at = from;
  for (let length = 1; at < to && length > 0; at += length) length = Math.max(lengthAt(at, near), 0);
  return at === to && at > from;
}

/** Lengths of records whose time nobody doubts. */
function lengthsOfThisDay({ lengthAt, secondsAt }: Headers): Headers['lengthAt'] {
  return (at, near) => {
    const length = lengthAt(at, near);
    return length > 0 && Math.abs(secondsAt(at) - near) > DOUBTED_S ? IMPLAUSIBLE : length;
  };
}

/** Whether they are from some place on, as endsInRecords() there. */
function endsInRecords(bytes: Uint8Array, from: number, to: number, section: Section, near: number): boolean {
  const lengthAt = lengthsOfThisDay(headersIn(bytes, section));
  let links = MOST_LINKS;
  for (let start = from; start < to && links > 0; start++) {
    let at = start;
    for (let length = lengthAt(at, near); length > 0 && at < to; length = lengthAt(at, near)) {
      at += length;
      links--;
    }
    if (at === to) return true;
  }
  return false;
}
