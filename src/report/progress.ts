import type { Run } from '../merge/run.ts';

/** Runs shorter than this show no progress, s; and a line is drawn no more often than this, ms. */
const PATIENCE = 1;
const INTERVAL = 250;
const GIGA = 1e9;

/** Takes away what a terminal's line holds. */
export const CLEAR_LINE = '\r\u001b[K';

/** A line on a terminal that tells how far a long run has come. Nothing where the stream is no terminal. */
export class ProgressLine {
  readonly #run: Run;
  readonly #out: NodeJS.WriteStream;
  readonly #began = process.uptime();
  readonly #timer: NodeJS.Timeout | undefined;
  #drawn = false;

  constructor(run: Run, out: NodeJS.WriteStream) {
    this.#run = run;
    this.#out = out;
    if (out.isTTY) this.#timer = setInterval(() => this.#draw(), INTERVAL).unref();
  }

  #draw(): void {
    const elapsed = process.uptime() - this.#began;
    if (elapsed < PATIENCE) return;
    const { share, packets } = this.#run.progress;
    const total = this.#run.bytes / GIGA;
    const known = !Number.isNaN(share);
    const read = known ? total * share : total;
    const rate = (read / elapsed).toFixed(2);
    const far = known ? `${Math.floor(share * 100)} %  ${read.toFixed(2)} of ${total.toFixed(2)} GB` : `${read.toFixed(2)} GB`;
    this.#out.write(`\r${far}  ${rate} GB/s  ${packets.toLocaleString('en')} packets\u001b[K`);
    this.#drawn = true;
  }

  /** Takes the line away. */
  end(): void {
    clearInterval(this.#timer);
    if (this.#drawn) this.#out.write(CLEAR_LINE);
    this.#drawn = false;
  }
}
