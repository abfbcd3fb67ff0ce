import type { Analysis } from '../shard/analysis.ts';

/** Runs shorter than this show no progress, and a line is drawn no more often, ms. */
const PATIENCE = 1000;
const INTERVAL = 250;
const GIGA = 1e9;

/** A line on a terminal that tells how far a long run has come. Nothing where the stream is no terminal. */
export class ProgressLine {
  readonly #analysis: Analysis;
  readonly #out: NodeJS.WriteStream;
  readonly #began = performance.now();
  readonly #timer: NodeJS.Timeout | undefined;
  #drawn = false;

  constructor(analysis: Analysis, out: NodeJS.WriteStream) {
    this.#analysis = analysis;
    this.#out = out;
    if (out.isTTY) this.#timer = setInterval(() => this.#draw(), INTERVAL).unref();
  }

  #draw(): void {
    const elapsed = performance.now() - this.#began;
    if (elapsed < PATIENCE) return;
    const { progress, size } = this.#analysis;
    const share = size > 0 ? `${Math.floor((progress.bytes / size) * 100)} %  ` : '';
    const rate = `${(progress.bytes / GIGA / (elapsed / 1000)).toFixed(2)} GB/s`;
    this.#out.write(
      `\r${share}${(progress.bytes / GIGA).toFixed(2)} of ${(size / GIGA).toFixed(2)} GB  ${rate}  ${progress.packets.toLocaleString('en')} packets\u001b[K`,
    );
    this.#drawn = true;
  }

  /** Takes the line away. */
  end(): void {
    clearInterval(this.#timer);
    if (this.#drawn) this.#out.write('\r\u001b[K');
    this.#drawn = false;
  }
}
