import { socketText, wordsText } from '../records/address.ts';
import { ADDRESS, ADDRESS_WORDS, FACTS, IPV6 } from '../layout/note.ts';
import { clientOf, portOf } from './note.ts';

/** Both endpoints of a row, the client first: `A:PORT-B:PORT`, as --connection takes it. */
export function endpointsText(rows: Float64Array, at: number): string {
  const client = clientOf(rows, at);
  return [client, 1 - client].map((endpoint) => endpointText(rows, at, endpoint)).join('-');
}

function endpointText(rows: Float64Array, at: number, endpoint: number): string {
  const address = wordsText(rows, at + ADDRESS + endpoint * ADDRESS_WORDS, (rows[at + FACTS]! & IPV6) !== 0);
  return socketText(address, portOf(rows, at, endpoint));
}
