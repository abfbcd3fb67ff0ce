import { slotsOf } from '../decode/decoder.ts';
import { NO_SECTION, type SectionRange } from './interfaces.ts';

// Words of the control block.
const ABORTED = 0;
const STOPPED = 1;
const NEWS = 2;
const PROVED = 3;
const DELIVERED = 4;
const PACKETS_READ = 5;
const CLAIMED = 6;
const TRACKED = 8;

// Doubles of a window's entry.
const OFFSET = 0;
const LOST = 1;
const CLOCK = 2;
const PACKETS = 3;
const FORM = 4;
const FROM = 5;
const TO = 6;
const PREVIOUS = 7;
const OWNER = 8;
const SLOT = 9;
const ENTRY = 10;

/** Windows that may be tracked before what they ended was delivered: what the output cannot take in, waits in the shards. */
const UNDELIVERED = 256;

/** What is certain once a window is proved: where the walk through its capture stands. */
export interface Proof {
  /** Of the next window's first record; Infinity: nothing more of the capture can be read. */
  offset: number;
  /** That record has to be searched from there on. */
  lost: boolean;
  /** Of the record before; not a number where there is none. */
  previous: number;
  /** The capture clock behind the last packet, ns. */
  clock: number;
  /** Packets of the run so far. */
  packets: number;
  section: SectionRange;
  /** Who decoded the window, and the slot of its decoder that the batch is in. */
  owner: number;
  slot: number;
}

/** Before the first window. */
const BEGINNING: Proof = {
  offset: 0,
  lost: false,
  previous: Number.NaN,
  clock: -Infinity,
  packets: 0,
  section: NO_SECTION,
  owner: -1,
  slot: -1,
};

/**
 * Where the shards of a run meet: a block of shared memory. The windows are proved one after the other, which passes the
 * boundary, the clock and the packet count on; a window's batch may be overwritten when all shards have tracked it.
 *
 *   words    aborted stopped news proved delivered packets claimed ... | tracked by shard 0, 1, ... | taken of shard 0, 1, ...
 *   entries  proofs of the latest windows, a ring
 *
 * `news` counts all changes: whoever has nothing to do waits for it to change.
 */
export class Exchange {
  readonly buffer: SharedArrayBuffer;
  readonly shards: number;
  /** How many decode: each shard, and who else does. */
  readonly decoders: number;
  readonly #words: Int32Array;
  readonly #entries: Float64Array;
  readonly #ring: number;
  /** The count of changes when this one looked. */
  #seen = 0;

  constructor(shards: number, decoders = shards, buffer?: SharedArrayBuffer) {
    this.shards = shards;
    this.decoders = decoders;
    this.#ring = decoders * (slotsOf(shards, 1) + 1);
    const words = Math.ceil((TRACKED + shards * 2) / 2) * 2;
    this.buffer = buffer ?? new SharedArrayBuffer(words * 4 + this.#ring * ENTRY * 8);
    this.#words = new Int32Array(this.buffer, 0, words);
    this.#entries = new Float64Array(this.buffer, words * 4);
  }

  /** Windows proved so far. */
  get proved(): number {
    return Atomics.load(this.#words, PROVED);
  }

  /** What was proved of the windows up to and with this one; -1: before the first. */
  proof(window: number): Proof {
    if (window < 0) return BEGINNING;
    const entries = this.#entries;
    const at = (window % this.#ring) * ENTRY;
    return {
      offset: entries[at + OFFSET]!,
      lost: entries[at + LOST] === 1,
      previous: entries[at + PREVIOUS]!,
      clock: entries[at + CLOCK]!,
      packets: entries[at + PACKETS]!,
      section: { form: entries[at + FORM]!, from: entries[at + FROM]!, to: entries[at + TO]! },
      owner: entries[at + OWNER]!,
      slot: entries[at + SLOT]!,
    };
  }

  /** The first window that nobody has undertaken to decode. */
  get claimed(): number {
    return Atomics.load(this.#words, CLAIMED);
  }

  /** Undertakes to decode the first window that nobody has claimed; false: another one was faster. */
  claim(window: number): boolean {
    return Atomics.compareExchange(this.#words, CLAIMED, window, window + 1) === window;
  }

  /** States a window's proof; the window before must have been proved. */
  prove(window: number, { offset, lost, previous, clock, packets, section, owner, slot }: Proof): void {
    const entries = this.#entries;
    const at = (window % this.#ring) * ENTRY;
    entries[at + OFFSET] = offset;
    entries[at + LOST] = lost ? 1 : 0;
    entries[at + PREVIOUS] = previous;
    entries[at + CLOCK] = clock;
    entries[at + PACKETS] = packets;
    entries[at + FORM] = section.form;
    entries[at + FROM] = section.from;
    entries[at + TO] = section.to;
    entries[at + OWNER] = owner;
    entries[at + SLOT] = slot;
    Atomics.store(this.#words, PROVED, window + 1);
    this.announce();
  }

  /** Windows that all shards have tracked. */
  get tracked(): number {
    let least = Infinity;
    for (let shard = 0; shard < this.shards; shard++) least = Math.min(least, Atomics.load(this.#words, TRACKED + shard));
    return least;
  }

  /** A shard has tracked all windows below `windows`. */
  setTracked(shard: number, windows: number): void {
    Atomics.store(this.#words, TRACKED + shard, windows);
    this.announce();
  }

  /** The output has taken what all windows below `windows` ended. */
  setDelivered(windows: number): void {
    Atomics.store(this.#words, DELIVERED, windows);
    this.announce();
  }

  /** Whether what a window ended is what the output takes next. */
  isAwaited(window: number): boolean {
    return window <= Atomics.load(this.#words, DELIVERED);
  }

  /** Whether the output is so far behind that a window must not be tracked yet. */
  isCongested(window: number): boolean {
    return window - Atomics.load(this.#words, DELIVERED) >= UNDELIVERED;
  }

  /** The output has taken the first `deliveries` of a shard. */
  setTaken(shard: number, deliveries: number): void {
    if (Atomics.exchange(this.#words, TRACKED + this.shards + shard, deliveries) !== deliveries) this.announce();
  }

  /** Whether the output has taken as many deliveries of a shard. */
  isTaken(shard: number, deliveries: number): boolean {
    return Atomics.load(this.#words, TRACKED + this.shards + shard) >= deliveries;
  }

  /** For progress lines: a count modulo 2^32. */
  addPackets(packets: number): void {
    Atomics.add(this.#words, PACKETS_READ, packets);
  }

  get packetsRead(): number {
    return Atomics.load(this.#words, PACKETS_READ) >>> 0;
  }

  /** Ends the run after the windows in flight; what was read is reported. */
  stop(): void {
    Atomics.store(this.#words, STOPPED, 1);
    this.announce();
  }

  get stopped(): boolean {
    return Atomics.load(this.#words, STOPPED) === 1;
  }

  /** Ends the run at once: every shard that waits, or will wait, throws. */
  abort(): void {
    Atomics.store(this.#words, ABORTED, 1);
    this.announce();
  }

  get aborted(): boolean {
    return Atomics.load(this.#words, ABORTED) === 1;
  }

  /** Begins to look at how things are: wait() and change() wait for what has changed since. @throws Error: the run was aborted */
  look(): void {
    if (!this.isRunning()) throw new Error('the run was aborted');
  }

  /** The same for those whom it does not concern what has ended the run; false: it was aborted. */
  isRunning(): boolean {
    this.#seen = Atomics.load(this.#words, NEWS);
    return !this.aborted;
  }

  /** Waits until something has changed since look(), or for as long, ms; whether it has. */
  wait(most = Infinity): boolean {
    return Atomics.wait(this.#words, NEWS, this.#seen, most) !== 'timed-out';
  }

  /** Resolves when something has changed since look(): for a thread that must not stand still. */
  async change(): Promise<void> {
    await Atomics.waitAsync(this.#words, NEWS, this.#seen).value;
  }

  /** Something has changed: wakes whoever waits. */
  announce(): void {
    Atomics.add(this.#words, NEWS, 1);
    Atomics.notify(this.#words, NEWS);
  }
}
