// The decoder: windows of capture bytes in, batches of segment records out; and the tracker's short path over them. What the
// host needs to know of it is exported here: where its regions lie and how much they hold, and the layout that it was
// compiled with.
// (Imports and exports are separate, because asc finds `./name.ts` in the former only.)

import { WINDOW_BYTES } from '../src/layout/batch.ts';
import { DROP_REASONS } from '../src/layout/drops.ts';
import { INTERFACE_BYTES, STATE_WORDS } from '../src/layout/framing.ts';
import { ADDRESS_PAIR_BYTES, LAYOUT_VERSION, SEGMENT_BYTES } from '../src/layout/segment.ts';
import { decode } from './decode.ts';
import {
  CHAINS_END,
  CONNECTIONS,
  COUNTS,
  COUNTS_BYTES,
  DEPARTED,
  DEPARTURE_STARTS,
  DEPARTURES,
  DURATION_SUMS,
  FILTER,
  FILTER_BYTES,
  HINTS,
  INDEX,
  INTERFACES,
  INTERFACES_BYTES,
  KEPT_PAIRS,
  LINE_END,
  LINES,
  NAME,
  NAME_PAIR,
  ORDER,
  PAIRS,
  PAIRS_BYTES,
  RECENT_END,
  SEGMENTS,
  SEGMENTS_BYTES,
  SHAPE_COUNTERS,
  SHAPE_ROWS,
  SHAPES,
  STAGE,
  STAGE_PAIRS,
  STATE,
  STREAM,
  TEMPLATE_PLACES,
  TEMPLATES,
  TRACKING,
  WINDOW,
} from './memory.ts';
import { beginConclusions, conclude, concludeInOrder, counterOf } from './conclude.ts';
import { depart } from './depart.ts';
import { TIMED } from './line.ts';
import { expireAfter, nextExpired, nextExpiry, setStay, shiftExpiry } from './expiry.ts';
import { begin } from './packets.ts';
import { noteSilence } from './finish.ts';
import { begin as beginConnection, open, show } from './place.ts';
import { settle } from './observe.ts';
import { order } from './order.ts';
import { log } from './sequence.ts';
import { enterShape } from './shape.ts';
import { connections, find, leave, renew, setRoom } from './table.ts';
import { forget, walk } from './walk.ts';

export { ADDRESS_PAIR_BYTES, DROP_REASONS, INTERFACE_BYTES, LAYOUT_VERSION, SEGMENT_BYTES, STATE_WORDS };
export {
  CHAINS_END,
  CONNECTIONS,
  COUNTS,
  COUNTS_BYTES,
  FILTER,
  FILTER_BYTES,
  HINTS,
  INDEX,
  INTERFACES,
  INTERFACES_BYTES,
  KEPT_PAIRS,
  NAME,
  NAME_PAIR,
  ORDER,
  PAIRS,
  PAIRS_BYTES,
  RECENT_END,
};
export { TIMED };
export { DEPARTED, DEPARTURE_STARTS, DEPARTURES };
export { LINE_END, LINES, TEMPLATE_PLACES, TEMPLATES };
export {
  SEGMENTS,
  SEGMENTS_BYTES,
  DURATION_SUMS,
  SHAPE_COUNTERS,
  SHAPE_ROWS,
  SHAPES,
  STAGE,
  STAGE_PAIRS,
  STATE,
  STREAM,
  TRACKING,
  WINDOW,
  WINDOW_BYTES,
};
export { begin, decode };
export {
  beginConclusions,
  beginConnection,
  conclude,
  concludeInOrder,
  counterOf,
  connections,
  depart,
  enterShape,
  expireAfter,
  find,
  forget,
  leave,
  log,
  nextExpired,
  nextExpiry,
  noteSilence,
  open,
  order,
  renew,
  setRoom,
  setStay,
  settle,
  shiftExpiry,
  show,
  walk,
};
