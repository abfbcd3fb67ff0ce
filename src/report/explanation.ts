import type { Run } from '../merge/run.ts';
import type { ConnectionRecord } from '../records/connection.ts';
import type { SegmentRecord } from '../records/segment.ts';
import { ladderText } from './ladder.ts';
import { Passages } from './passage.ts';

/**
 * Runs, and tells of each connection, segment by segment; the run is about one 4-tuple, and yields segments. A record comes when its connection
 * has ended, which may be after the next one's first segments: so each is told when the next one's record has come.
 */
export async function* explanations(run: Run): AsyncGenerator<string, void, undefined> {
  const passages = new Passages();
  let record: ConnectionRecord | undefined;
  for await (const items of run.batches()) {
    for (const item of items as (ConnectionRecord | SegmentRecord)[]) {
      if (item.type === 'segment') {
        passages.add(item);
        continue;
      }
      passages.cut();
      if (record)
        yield `${ladderText(
          record,
          passages.take(({ time }) => run.clock.text(time) >= item.start),
          run.clock,
        )}\n`;
      record = item;
    }
  }
  if (record)
    yield ladderText(
      record,
      passages.take(() => false),
      run.clock,
    );
}
