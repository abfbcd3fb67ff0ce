// The ledger (src/layout/ledger.ts): rows of all shards in one order, and whom they make hold what. A module of its own, with a memory
// that it owns: it lives where a run's outcome is put together, and decodes nothing.

import {
  BEYOND,
  CLOSED,
  EMPTY,
  FAMILY_SHIFT,
  FULL,
  GROUP_COLUMNS,
  GROUP_WORDS,
  GROUPS,
  HELD_FROM,
  HELD_TO,
  HOLDERS,
  HOLDERS_CAPACITY,
  HOST_COLUMNS,
  HOST_FROM,
  HOST_TO,
  HOST_WORDS,
  HOSTS,
  LANE_END,
  LANE_NEXT,
  LANE_ROWS,
  LANES as LANE_COUNT,
  LOG_CAPACITY,
  LOGGED,
  NUMBER,
  OVER,
  PORT,
  PORT_WAIT_FROM,
  PORT_WAIT_TO,
  STATE_WORDS,
} from '../src/layout/ledger.ts';
import { FIN_RETRANSMITTED, HALF_OPEN_DETECTED } from '../src/layout/modifiers.ts';
import * as note from '../src/layout/note.ts';

const ROW_BYTES: usize = note.COLUMNS * 8;
/** Entries of an index: at most half of them are used. */
const ENTRIES: u32 = HOLDERS_CAPACITY * 2;
const ENTRY_BYTES = 8;
const ADDRESS_BYTES: usize = note.ADDRESS_WORDS * 4;
/** Rows that one call is about when they are brought together: inline.mjs says why. */
const PART = 1024;
const MULTIPLIER: u64 = 0xbf58476d1ce4e5b9;

export const STATE: usize = memory.data(STATE_WORDS * 4, 16);
/** The host that is looked for; the word behind it stays 0. */
const HOST_KEY: usize = memory.data((HOST_WORDS + 1) * 4, 16);

// What is found out of each row of a lane at once (look()): the key of its group, and hashes. Offsets in bytes.
/** Behind the words of the group's key, which is in front, and one that stays 0. */
const GROUP_HASH = 40;
/** Of the low endpoint's host and of the high one's, where they were in TIME_WAIT. */
const HOST_HASH = 44;
const FOUND_BYTES = 56;

export const LANES: usize = 0x10000;
const FOUND: usize = LANES + <usize>(LANE_COUNT * LANE_ROWS) * ROW_BYTES;
export const HOST_KEYS: usize = FOUND + <usize>(LANE_COUNT * LANE_ROWS) * FOUND_BYTES;
export const HOST_MEMBERS: usize = HOST_KEYS + HOLDERS_CAPACITY * HOST_WORDS * 4;
export const HOST_LOG: usize = (HOST_MEMBERS + HOLDERS_CAPACITY * 4 + 7) & ~7;
/** A row makes two hosts hold TIME_WAIT at most: the log may have one more than it was asked to keep. */
const HOST_INDEX: usize = HOST_LOG + (LOG_CAPACITY + 1) * HOST_COLUMNS * 8;
export const GROUP_KEYS: usize = HOST_INDEX + ENTRIES * ENTRY_BYTES;
export const GROUP_MEMBERS: usize = GROUP_KEYS + HOLDERS_CAPACITY * GROUP_WORDS * 4;
export const GROUP_REUSES: usize = GROUP_MEMBERS + HOLDERS_CAPACITY * 4;
export const GROUP_LOG: usize = (GROUP_REUSES + HOLDERS_CAPACITY * 4 + 7) & ~7;
const GROUP_INDEX: usize = GROUP_LOG + (LOG_CAPACITY + 1) * GROUP_COLUMNS * 8;
/** Places of rows in a log, by holder; and where those of each begin and end: in front those of all beyond the limit. */
export const HOST_PLACES: usize = GROUP_INDEX + ENTRIES * ENTRY_BYTES;
export const HOST_BEGINS: usize = HOST_PLACES + (LOG_CAPACITY + 1) * 4;
export const HOST_ENDS: usize = HOST_BEGINS + (HOLDERS_CAPACITY + 1) * 4;
export const GROUP_PLACES: usize = HOST_ENDS + (HOLDERS_CAPACITY + 1) * 4;
export const GROUP_BEGINS: usize = GROUP_PLACES + (LOG_CAPACITY + 1) * 4;
export const GROUP_ENDS: usize = GROUP_BEGINS + (HOLDERS_CAPACITY + 1) * 4;
export const END: usize = GROUP_ENDS + (HOLDERS_CAPACITY + 1) * 4;

/** Nobody who makes captures shall know which keys collide. */
let seed: u64 = 0;
/** Rows of each log. */
let capacity: i32 = LOG_CAPACITY;
/** Of the holders that were met last: in rows by 4-tuple the same come many times in a row. */
let latestHost: i32 = -1;
let latestGroup: i32 = -1;
/** Sum of the words touched ahead: means nothing. The reads stay, because each may trap. */
let touched: i32 = 0;

/** Begins an empty ledger, in memory that is all zeros. `rows`: of each log, LOG_CAPACITY at most. */
export function begin(secret: f64, rows: i32): void {
  seed = <u64>secret * MULTIPLIER;
  capacity = rows;
  // An index is read before it is written: the system would map a page of zeros first, and interrupt all threads' processors to take it back.
  memory.fill(HOST_INDEX, 0, ENTRIES * ENTRY_BYTES);
  memory.fill(GROUP_INDEX, 0, ENTRIES * ENTRY_BYTES);
}

function stateOf(word: i32): usize {
  return STATE + ((<usize>word) << 2);
}

/**
 * Looks at the rows that a lane was filled with, and reads what the holders of all of them have in the indices: each is a miss where there are
 * many, and misses that do not wait for each other overlap.
 */
export function look(lane: i32): void {
  const rows = load<i32>(stateOf(LANE_END + lane));
  const first = LANES + <usize>(lane * LANE_ROWS) * ROW_BYTES;
  for (let i = 0; i < rows; i++) {
    const row = first + <usize>i * ROW_BYTES;
    const found = foundOf(row);
    const facts = factsOf(row);
    writeGroup(found, row, facts);
    store<u32>(found, hashOf(found, GROUP_WORDS), GROUP_HASH);
    for (let endpoint: usize = 0; endpoint < 2; endpoint++) {
      if (isNaN(load<f64>(row + (endpoint << 3), note.WAIT_FROM << 3))) continue;
      writeHost(found, facts, endpoint);
      store<u32>(found + (endpoint << 2), hashOf(HOST_KEY, HOST_WORDS), HOST_HASH);
    }
  }
  let sum = 0;
  const end = foundOf(first + <usize>rows * ROW_BYTES);
  for (let found = foundOf(first); found < end; found += FOUND_BYTES) {
    sum += load<i32>(GROUP_INDEX + entryAt(load<u32>(found, GROUP_HASH)));
    sum += load<i32>(HOST_INDEX + entryAt(load<u32>(found, HOST_HASH)));
    sum += load<i32>(HOST_INDEX + entryAt(load<u32>(found, HOST_HASH + 4)));
  }
  touched = sum;
}

/** What was found out of a row. */
function foundOf(row: usize): usize {
  return FOUND + ((row - LANES) / ROW_BYTES) * FOUND_BYTES;
}

/**
 * Enters rows of the lanes 0 to `lanes` - 1, in the order of precedes().
 * @returns EMPTY where a lane has no row left, which has to be filled or closed; OVER; FULL; or the place of the row entered last, where
 * those who count leaks, resets or stuck endpoints may have to look at it
 */
export function merge(lanes: i32): i32 {
  while (load<i32>(stateOf(HOSTS + LOGGED)) < capacity && load<i32>(stateOf(GROUPS + LOGGED)) < capacity) {
    let first = -1;
    let row: usize = 0;
    for (let lane = 0; lane < lanes; lane++) {
      const end = load<i32>(stateOf(LANE_END + lane));
      if (end == CLOSED) continue;
      const next = load<i32>(stateOf(LANE_NEXT + lane));
      if (next == end) return EMPTY;
      const candidate = LANES + <usize>(lane * LANE_ROWS + next) * ROW_BYTES;
      if (first >= 0 && !precedes(candidate, row)) continue;
      first = lane;
      row = candidate;
    }
    if (first < 0) {
      memory.fill(stateOf(LANE_NEXT), 0, lanes << 2);
      memory.fill(stateOf(LANE_END), 0, lanes << 2);
      return OVER;
    }
    const next = stateOf(LANE_NEXT + first);
    store<i32>(next, load<i32>(next) + 1);
    enter(row);
    if (concernsOthers(row)) return <i32>(row - LANES) >> 3;
  }
  return FULL;
}

/** Brings the rows of the hosts' log together by host, in their order. */
export function indexHosts(): void {
  index(HOST_LOG, HOST_COLUMNS, HOSTS, HOST_PLACES, HOST_BEGINS, HOST_ENDS);
}

/** The same of the groups. */
export function indexGroups(): void {
  index(GROUP_LOG, GROUP_COLUMNS, GROUPS, GROUP_PLACES, GROUP_BEGINS, GROUP_ENDS);
}

function index(rows: usize, columns: i32, account: i32, places: usize, begins: usize, ends: usize): void {
  const holders = load<i32>(stateOf(account + HOLDERS));
  const logged = load<i32>(stateOf(account + LOGGED));
  memory.fill(ends, 0, (<usize>holders + 1) << 2);
  for (let i = 0; i < logged; i += PART) countPart(ends, rows, columns, i, min(logged, i + PART));
  let begin = 0;
  for (let holder: usize = 0; holder <= <usize>holders; holder++) {
    const end = ends + (holder << 2);
    const count = load<i32>(end);
    store<i32>(begins + (holder << 2), begin);
    store<i32>(end, begin); // it moves on while the places are written
    begin += count;
  }
  for (let i = 0; i < logged; i += PART) placePart(places, ends, rows, columns, i, min(logged, i + PART));
}

function countPart(ends: usize, rows: usize, columns: i32, from: i32, to: i32): void {
  for (let i = from; i < to; i++) {
    const end = placeOf(ends, rows, i * columns);
    store<i32>(end, load<i32>(end) + 1);
  }
}

function placePart(places: usize, ends: usize, rows: usize, columns: i32, from: i32, to: i32): void {
  for (let i = from; i < to; i++) {
    const end = placeOf(ends, rows, i * columns);
    const place = load<i32>(end);
    store<i32>(places + ((<usize>place) << 2), i * columns);
    store<i32>(end, place + 1);
  }
}

/** What the holder of a row has in an array of all of them; `at`: where the row begins in its log, in doubles. */
function placeOf(all: usize, rows: usize, at: i32): usize {
  return all + ((<usize>(<i32>load<f64>(rows + ((<usize>at) << 3), NUMBER << 3) + 1)) << 2);
}

/** Whether a row comes before another one: by time, packet, 4-tuple (src/stats/note.ts). */
function precedes(row: usize, other: usize): bool {
  for (let column: usize = note.TIME; column <= <usize>note.PACKET; column++) {
    const ours = load<f64>(row + (column << 3));
    const theirs = load<f64>(other + (column << 3));
    if (ours != theirs) return ours < theirs;
  }
  const family = (factsOf(row) & note.IPV6) - (factsOf(other) & note.IPV6);
  if (family != 0) return family < 0;
  for (let column: usize = note.ADDRESS; column <= <usize>note.PORTS; column++) {
    const ours = load<f64>(row + (column << 3));
    const theirs = load<f64>(other + (column << 3));
    if (ours != theirs) return ours < theirs;
  }
  return false;
}

function factsOf(row: usize): i32 {
  return <i32>load<f64>(row, note.FACTS << 3);
}

/** Whether leaks, resets or stuck endpoints may have to count it. */
function concernsOthers(row: usize): bool {
  const closeWait = load<f64>(row, note.CLOSE_WAIT << 3);
  return (
    load<f64>(row, note.RESET << 3) >= 0 ||
    !isNaN(closeWait) ||
    load<f64>(row, note.CLASS << 3) == note.NO_REPLY ||
    (<i32>load<f64>(row, note.MODIFIERS << 3) & (HALF_OPEN_DETECTED | FIN_RETRANSMITTED)) != 0
  );
}

function enter(row: usize): void {
  const found = foundOf(row);
  const facts = factsOf(row);
  enterHost(row, found, facts, 0);
  enterHost(row, found, facts, 1);
  enterGroup(row, found, facts);
}

/** An endpoint's host, if the endpoint was in TIME_WAIT. */
function enterHost(row: usize, found: usize, facts: i32, holder: usize): void {
  const own = row + (holder << 3);
  const from = load<f64>(own, note.WAIT_FROM << 3);
  if (isNaN(from)) return;
  writeHost(found, facts, holder);
  if (latestHost < 0 || !isKey(HOST_KEY, HOST_KEYS, HOST_WORDS, latestHost))
    latestHost = numberOf(HOST_KEY, load<u32>(found + (holder << 2), HOST_HASH), HOST_KEYS, HOST_INDEX, HOST_WORDS, HOSTS);
  const place = log(HOST_LOG, HOST_COLUMNS, HOSTS, HOST_MEMBERS, latestHost);
  store<f64>(place, from, HOST_FROM << 3);
  store<f64>(place, load<f64>(own, note.WAIT_TO << 3), HOST_TO << 3);
}

/** The group whose client had the connection. */
function enterGroup(row: usize, found: usize, facts: i32): void {
  if (latestGroup < 0 || !isKey(found, GROUP_KEYS, GROUP_WORDS, latestGroup))
    latestGroup = numberOf(found, load<u32>(found, GROUP_HASH), GROUP_KEYS, GROUP_INDEX, GROUP_WORDS, GROUPS);
  if (latestGroup < 0) {
    countBeyond(GROUPS);
    return;
  }
  const place = log(GROUP_LOG, GROUP_COLUMNS, GROUPS, GROUP_MEMBERS, latestGroup);
  const client = clientOf(facts);
  const ports = <u32>load<f64>(row, note.PORTS << 3);
  const own = row + (client << 3);
  store<f64>(place, load<f64>(row, note.START << 3), HELD_FROM << 3);
  store<f64>(place, load<f64>(row, note.HELD_UNTIL << 3), HELD_TO << 3);
  store<f64>(place, load<f64>(own, note.WAIT_FROM << 3), PORT_WAIT_FROM << 3);
  store<f64>(place, load<f64>(own, note.WAIT_TO << 3), PORT_WAIT_TO << 3);
  store<f64>(place, <f64>(client == 0 ? ports >>> 16 : ports & 0xffff), PORT << 3);
  if (load<f64>(own, note.WAIT_END << 3) != <f64>note.REUSE) return;
  const reuses = GROUP_REUSES + ((<usize>latestGroup) << 2);
  store<i32>(reuses, load<i32>(reuses) + 1);
}

function clientOf(facts: i32): usize {
  return (facts & note.CLIENT_IS_HIGH) != 0 ? 1 : 0;
}

/** Writes the key of a row's group. */
function writeGroup(key: usize, row: usize, facts: i32): void {
  const client = clientOf(facts);
  const family = (facts & note.IPV6) != 0 ? 1 : 0;
  const ports = <u32>load<f64>(row, note.PORTS << 3);
  const serverPort = client == 0 ? ports & 0xffff : ports >>> 16;
  writeAddress(key, row, client, family);
  writeAddress(key + ADDRESS_BYTES, row, client ^ 1, family);
  store<u32>(key, serverPort | (family << FAMILY_SHIFT), (GROUP_WORDS - 1) << 2);
}

/** Writes an endpoint's address as words of a key. */
function writeAddress(to: usize, row: usize, endpoint: usize, family: i32): void {
  const from = row + ((note.ADDRESS + <i32>endpoint * note.ADDRESS_WORDS) << 3);
  if (family == 0) {
    store<u64>(to, 0);
    store<u64>(to, (<u64>load<f64>(from, (note.ADDRESS_WORDS - 1) << 3)) << 32, 8);
  } else
    for (let word: usize = 0; word < <usize>note.ADDRESS_WORDS; word++) store<u32>(to + (word << 2), <u32>load<f64>(from + (word << 3)));
}

/** Writes the key of an endpoint's host: a part of its group's. */
function writeHost(found: usize, facts: i32, endpoint: usize): void {
  v128.store(HOST_KEY, v128.load(found + (endpoint == clientOf(facts) ? 0 : ADDRESS_BYTES)));
  store<u32>(HOST_KEY, (facts & note.IPV6) != 0 ? 1 : 0, (HOST_WORDS - 1) << 2);
}

/** Makes room for a row of a log, and counts it for its holder; answers where it is. */
function log(rows: usize, columns: usize, account: i32, members: usize, holder: i32): usize {
  const logged = stateOf(account + LOGGED);
  const place = rows + <usize>load<i32>(logged) * (columns << 3);
  store<i32>(logged, load<i32>(logged) + 1);
  store<f64>(place, <f64>holder, NUMBER << 3);
  if (holder < 0) countBeyond(account);
  else {
    const count = members + ((<usize>holder) << 2);
    store<i32>(count, load<i32>(count) + 1);
  }
  return place;
}

function countBeyond(account: i32): void {
  const beyond = stateOf(account + BEYOND);
  store<i32>(beyond, load<i32>(beyond) + 1);
}

/** Whether a key is that of a holder. */
function isKey(key: usize, keys: usize, words: usize, number: i32): bool {
  const theirs = keys + <usize>number * (words << 2);
  for (let at: usize = 0; at < (words >> 1) << 3; at += 8) if (load<u64>(key + at) != load<u64>(theirs + at)) return false;
  // There is one word more: both are odd numbers.
  return load<u32>(key + ((words - 1) << 2)) == load<u32>(theirs + ((words - 1) << 2));
}

/** The number of a key's holder, which gets the next one where it is new; -1 where there are too many. */
function numberOf(key: usize, hash: u32, keys: usize, index: usize, words: usize, account: i32): i32 {
  let at = hash;
  let entry = load<u64>(index + entryAt(at));
  while (entry != 0) {
    const number = <i32>(entry >> 32) - 1;
    if (<u32>entry == hash && isKey(key, keys, words, number)) return number;
    entry = load<u64>(index + entryAt(++at));
  }
  const holders = stateOf(account + HOLDERS);
  const number = load<i32>(holders);
  if (number == HOLDERS_CAPACITY) return -1;
  store<i32>(holders, number + 1);
  memory.copy(keys + <usize>number * (words << 2), key, words << 2);
  store<u64>(index + entryAt(at), ((<u64>(number + 1)) << 32) | hash);
  return number;
}

/** Where in an index a hash is looked for. */
function entryAt(hash: u32): usize {
  return <usize>((hash & (ENTRIES - 1)) * ENTRY_BYTES);
}

function hashOf(key: usize, words: usize): u32 {
  let sum = seed;
  for (let at: usize = 0; at < words << 2; at += 8) {
    sum = (sum ^ load<u64>(key + at)) * MULTIPLIER;
    sum ^= sum >> 32;
  }
  return <u32>(sum ^ (sum >> 29));
}
