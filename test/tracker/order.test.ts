import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { FACTS, PAIRED } from '../../src/layout/slot.ts';
import { compareTuples } from '../../src/tracker/order.ts';
import { Segment } from '../../src/tracker/segment.ts';
import { ConnectionTable } from '../../src/tracker/table.ts';
import { decoder } from '../decode/decoding.ts';
import { encode, ipv4, ipv6, story } from '../support/story.ts';

/** Offset of the scope in an address pair. */
const SCOPE_AT = 32;

/** Few addresses and ports, so that many connections differ in the last of them only, or in their scope alone. */
const host = fc.record({ six: fc.boolean(), last: fc.constantFrom(1, 2, 127, 128, 255), port: fc.constantFrom(1, 80, 0x8000, 0xffff) });
const connections = fc.array(fc.tuple(host, host, fc.constantFrom(0n, 1n, 1n << 63n)), { maxLength: 300 });

it('orders all connections as it compares two', () => {
  fc.assert(
    fc.property(connections, fc.array(fc.nat(300), { maxLength: 40 }), (all, gone) => {
      const told = all.map(([client, server]) => {
        const [one, other] = [client, server].map(({ last, port }) => (client.six ? ipv6(last, port) : ipv4(`${last}.0.0.${last}`, port)));
        return story().connection(one!, other!)[0].syn();
      });
      decoder.table.forget();
      const table = new ConnectionTable(decoder.table);
      const batch = encode(told);
      const slots = all.map(([, , scope], i) => {
        const slot = table.open(batch, new Segment().load(batch, i));
        const pair = table.pair(slot);
        if ((table.words[slot + FACTS]! & PAIRED) !== 0) new DataView(pair.buffer, pair.byteOffset).setBigUint64(SCOPE_AT, scope, true);
        return slot;
      });
      for (const i of new Set(gone)) if (i < slots.length) table.remove(slots[i]!);
      const ordered = Array.from(decoder.table.order());
      const left = [...new Set(slots)].filter((slot) => table.words[slot + FACTS] !== 0);
      expect(ordered.toSorted((a, b) => a - b)).toEqual(left.toSorted((a, b) => a - b));
      expect(table.count).toBe(left.length);
      for (let i = 1; i < ordered.length; i++) expect(compareTuples(table, ordered[i - 1]!, ordered[i]!)).toBeLessThanOrEqual(0);
    }),
  );
});
