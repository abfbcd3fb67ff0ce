import type { Run } from '../merge/run.ts';
import type { ConnectionRecord } from '../records/connection.ts';
import type { EndedRecord, SegmentRecord } from '../records/segment.ts';
import { ladderText } from './ladder.ts';
import { Passages } from './passage.ts';
import { plural } from './words.ts';

/**
 * Runs, and tells of each connection that has ended, segment by segment; the run is about one 4-tuple, and yields segments. A SYN that is
 * held may be the next connection's: so each is told when the next one's record has come.
 */
export async function* explanations(run: Run): AsyncGenerator<string, void, undefined> {
  const open = new Map<number, Passages>();
  let ended: { readonly record: ConnectionRecord; readonly passages: Passages } | undefined;
  let strays = 0;
  for await (const items of run.batches()) {
    for (const item of items as (EndedRecord | SegmentRecord)[]) {
      const { connection } = item;
      if (item.type === 'segment' && connection < 0) {
        if (!item.copy) strays++;
        continue;
      }
      const passages = open.get(connection) ?? new Passages();
      if (item.type === 'segment') {
        open.set(connection, passages);
        passages.add(item);
        continue;
      }
      open.delete(connection);
      if (ended) {
        passages.begin(ended.passages.release(({ time }) => run.clock.text(time) >= item.record.start));
        yield `${ladderText(ended.record, ended.passages.entries, run.clock)}\n`;
      }
      ended = { record: item.record, passages };
    }
  }
  if (ended) yield ladderText(ended.record, ended.passages.entries, run.clock);
  if (strays > 0) yield `\n${plural(strays, 'segment')} more came when no connection was there that they could be of\n`;
}
