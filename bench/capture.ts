import { closeSync, openSync, writeSync } from 'node:fs';
import { ACK, FIN, PSH, SYN } from '#lib/layout/tcp.js';

/** What a generated capture is like. Every 4-tuple occurs once; the client closes, with four waves or three segments in turn. */
export interface Shape {
  /** Captured bytes of a packet at most. */
  readonly snaplen: number;
  /** Connections open at a time. */
  readonly open: number;
  /** Mean number of data segments of a connection. */
  readonly mean: number;
}

export const SHAPES = {
  /** Full-sized packets. */
  mtu: { snaplen: 65_535, open: 20_000, mean: 20 },
  /** The same traffic cut at 96 bytes, as operators capture it. */
  snapshots: { snaplen: 96, open: 20_000, mean: 20 },
  /** A million connections at once: every segment misses the cache. */
  million: { snaplen: 96, open: 1_000_000, mean: 4 },
  /** Ten segments a connection: most of the work is opening and closing. */
  short: { snaplen: 96, open: 2_000, mean: 1.5 },
} as const satisfies Record<string, Shape>;

const MSS = 1448;
const LINK = 16;
const HEADERS = LINK + 20 + 32;
const BUFFER = 1 << 22;
const START_S = 1_600_000_000;

/** A xorshift generator of 32-bit numbers: the same captures everywhere. */
class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 1;
  }

  next(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return x >>> 0;
  }

  below(limit: number): number {
    return Math.floor((this.next() / 2 ** 32) * limit);
  }
}

/** Writes a LINUX_SLL pcap of at least `bytes` bytes; answers its packets and connections. */
export function generate(path: string, bytes: number, shape: Shape, seed = 1): { packets: number; connections: number } {
  const random = new Random(seed);
  const file = openSync(path, 'w');
  const out = Buffer.alloc(BUFFER);
  let used = 0;
  let total = 0;
  let packets = 0;
  let connections = 0;
  let micros = 0;
  const stage = new Uint8Array(shape.open);
  const left = new Uint16Array(shape.open);
  const number = new Uint32Array(shape.open);
  const seqs = new Uint32Array(shape.open * 2);

  const header = Buffer.alloc(24);
  header.writeUInt32LE(0xa1b2c3d4, 0);
  header.writeUInt16LE(2, 4);
  header.writeUInt16LE(4, 6);
  header.writeUInt32LE(shape.snaplen, 16);
  header.writeUInt32LE(113, 20);
  writeSync(file, header);

  const put = (connection: number, fromServer: 0 | 1, flags: number, payload: number): void => {
    const captured = Math.min(HEADERS + payload, shape.snaplen);
    if (used + 16 + captured > BUFFER) {
      writeSync(file, out, 0, used);
      used = 0;
    }
    const id = number[connection]!;
    const clientIp = 0x0a000000 | ((id >>> 6) & 0xffff);
    const serverIp = 0x0a800000 | (id & 63);
    const clientPort = 1024 + (((id >>> 22) * 97 + (id % 60_000)) % 64_000);
    const serverPort = (id & 1) === 0 ? 80 : 443;
    const own = connection * 2 + fromServer;
    const peer = own ^ 1;
    out.fill(0, used, used + 16 + HEADERS);
    out.writeUInt32LE(START_S + Math.floor(micros / 1e6), used);
    out.writeUInt32LE(micros % 1e6, used + 4);
    out.writeUInt32LE(captured, used + 8);
    out.writeUInt32LE(HEADERS + payload, used + 12);
    let at = used + 16;
    out[at + 1] = fromServer === 1 ? 4 : 0;
    out[at + 3] = 1;
    out[at + 5] = 6;
    out.writeUInt16BE(0x0800, at + 14);
    at += LINK;
    out[at] = 0x45;
    out.writeUInt16BE(HEADERS - LINK + payload, at + 2);
    out.writeUInt16BE(packets & 0xffff, at + 4);
    out[at + 8] = 64;
    out[at + 9] = 6;
    out.writeUInt32BE(fromServer === 1 ? serverIp : clientIp, at + 12);
    out.writeUInt32BE(fromServer === 1 ? clientIp : serverIp, at + 16);
    at += 20;
    out.writeUInt16BE(fromServer === 1 ? serverPort : clientPort, at);
    out.writeUInt16BE(fromServer === 1 ? clientPort : serverPort, at + 2);
    out.writeUInt32BE(seqs[own]!, at + 4);
    out.writeUInt32BE(flags === SYN ? 0 : seqs[peer]!, at + 8);
    out[at + 12] = 0x80;
    out[at + 13] = flags;
    out.writeUInt16BE(500, at + 14);
    out.writeUInt32BE(0x0101080a, at + 20);
    out.writeUInt32BE(Math.floor(micros / 1000), at + 24);
    used += 16 + captured;
    total += 16 + captured;
    packets++;
    micros += 1 + (random.next() & 3);
    seqs[own]! += payload + ((flags & (SYN | FIN)) === 0 ? 0 : 1);
  };

  for (;;) {
    if (total >= bytes) break;
    const connection = random.below(shape.open);
    switch (stage[connection]!) {
      case 0:
        number[connection] = connections++;
        seqs[connection * 2] = random.next();
        seqs[connection * 2 + 1] = random.next();
        left[connection] = random.below(2 * shape.mean + 1);
        put(connection, 0, SYN, 0);
        break;
      case 1:
        put(connection, 1, SYN | ACK, 0);
        break;
      case 2:
        put(connection, 0, ACK, 0);
        break;
      case 3:
        if (left[connection]! > 0) {
          left[connection]! -= 1;
          put(connection, (random.next() & 3) === 0 ? 0 : 1, PSH | ACK, random.below(MSS) + 1);
          continue;
        }
        put(connection, 0, FIN | ACK, 0);
        break;
      case 4:
        if ((number[connection]! & 1) === 0) put(connection, 1, ACK, 0);
        else {
          put(connection, 1, FIN | ACK, 0);
          stage[connection] = 5;
        }
        break;
      case 5:
        put(connection, 1, FIN | ACK, 0);
        break;
      default:
        put(connection, 0, ACK, 0);
        stage[connection] = 255;
    }
    stage[connection] += 1;
  }
  writeSync(file, out, 0, used);
  closeSync(file);
  return { packets, connections };
}
