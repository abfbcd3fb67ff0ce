import { CaptureError } from '../capture/errors.ts';
import { CaptureFile } from '../capture/file.ts';
import { firstSecond, type PcapHeader, readPcapHeader } from '../capture/pcap.ts';
import { type Fault, WindowWalk } from '../capture/windows.ts';
import { Decoder, type DecoderModule } from '../decode/decoder.ts';
import { DROP_REASONS } from '../layout/drops.ts';
import { PACKETS, RECORDS, REGRESSIONS } from '../layout/framing.ts';
import { Clock } from '../records/time.ts';
import { PROFILES, type Profile } from '../tracker/time-wait.ts';
import { type Ended, Tracker } from '../tracker/tracker.ts';

export interface AnalysisOptions {
  /** Name of a profile of SPEC §4. */
  readonly profile?: string;
  /** Length of TIME_WAIT, seconds; the profile's where absent. */
  readonly twoMsl?: number;
  /** Silence after which an unfinished connection's record ends, seconds; never where absent. */
  readonly idleTimeout?: number;
  /** Bytes read at a time. */
  readonly windowBytes?: number;
}

/** What was read so far. */
export interface Progress {
  packets: number;
  segments: number;
  duplicates: number;
  bytes: number;
  timeRegressions: number;
  /** Packets without a segment, by the words of layout/drops.ts. */
  readonly drops: Float64Array;
}

interface Input {
  readonly file: CaptureFile;
  readonly header: PcapHeader;
}

/**
 * One run over captures, in this thread: windows of bytes, decoded and tracked in turn.
 * Captures are read in the order given, as one: connections go on from one to the next.
 */
export class Analysis {
  readonly progress: Progress = {
    packets: 0,
    segments: 0,
    duplicates: 0,
    bytes: 0,
    timeRegressions: 0,
    drops: new Float64Array(DROP_REASONS),
  };
  readonly clock: Clock;
  readonly profile: Profile;
  readonly tracker: Tracker;
  /** What ended a capture early: all before it was analysed. */
  readonly faults: Fault[] = [];
  /** Capture time of the first packet and of the latest, ns; undefined before there is one. */
  firstTime: number | undefined;
  /** Bytes of all captures. */
  readonly size: number;
  readonly linkTypes: readonly number[];
  readonly files: number;
  readonly #decoder: Decoder;
  readonly #inputs: readonly Input[];
  readonly #windowBytes: number | undefined;

  /** @throws CaptureError where a capture cannot be read at all */
  constructor(
    paths: readonly string[],
    options: AnalysisOptions,
    ended: (connection: Ended) => void,
    module: DecoderModule = Decoder.compile(),
  ) {
    const profile = PROFILES[options.profile ?? 'linux'];
    if (!profile) throw new RangeError(`no such profile: ${options.profile}`);
    this.profile = options.twoMsl === undefined ? profile : { ...profile, twoMsl: options.twoMsl * 1e9 };
    this.#inputs = this.#open(paths);
    this.size = this.#inputs.reduce((sum, { file }) => sum + file.size, 0);
    this.files = paths.length;
    this.linkTypes = [...new Set(this.#inputs.map(({ header }) => header.linkType))];
    const [first] = this.#inputs;
    const origin = first ? firstSecond(first.file, first.header) : 0;
    this.clock = new Clock(origin, this.#inputs.some(({ header }) => header.fractionNs === 1) ? 9 : 6);
    this.#windowBytes = options.windowBytes;
    this.#decoder = new Decoder(module);
    this.tracker = new Tracker({ profile: this.profile, idleTimeout: (options.idleTimeout ?? Infinity) * 1e9, ended });
  }

  /** Opens the captures. One that cannot be read is a fault of the run; it fails where none can. */
  #open(paths: readonly string[]): Input[] {
    const inputs: Input[] = [];
    const errors: CaptureError[] = [];
    for (const path of paths) {
      try {
        const file = new CaptureFile(path);
        inputs.push({ file, header: readPcapHeader(file) });
      } catch (error) {
        if (!(error instanceof CaptureError)) throw error;
        errors.push(error);
      }
    }
    if (inputs.length === 0 && errors.length > 0) throw errors[0]!;
    for (const { file, offset, rule, message } of errors) this.faults.push({ file, offset, truncated: false, rule, message });
    return inputs;
  }

  /** Runs it; yields after each batch, so that the caller can write what has ended, or stop. */
  *run(): Generator<Progress, void, undefined> {
    const seed = Math.floor(Math.random() * 2 ** 32); // keys the hashes, which nothing that is printed depends on
    for (const { file, header } of this.#inputs) {
      this.#decoder.begin({ ...header, origin: this.clock.origin, seed }, this.#decoder.clock);
      const walk = new WindowWalk(file, header, this.#decoder, this.#windowBytes === undefined ? {} : { windowBytes: this.#windowBytes });
      const before = this.progress.bytes;
      for (const { end } of walk) {
        this.#take();
        this.progress.bytes = before + end;
        yield this.progress;
      }
      file.close();
      if (walk.fault) this.faults.push(walk.fault);
    }
  }

  /** Delivers all connections that are left. */
  finish(): void {
    this.tracker.finish(this.lastTime);
    this.#count();
  }

  /** The capture clock, ns. */
  get lastTime(): number {
    return this.#decoder.clock;
  }

  #take(): void {
    const { state, words, times, pairs, drops } = this.#decoder;
    const { progress } = this;
    this.firstTime ??= this.#firstTimeOfBatch();
    this.tracker.track({ words, times, pairs, count: state[RECORDS]! }, progress.packets);
    progress.packets += state[PACKETS]!;
    progress.timeRegressions += state[REGRESSIONS]!;
    for (let reason = 0; reason < DROP_REASONS; reason++) progress.drops[reason]! += drops[reason]!;
    this.#count();
  }

  #count(): void {
    this.progress.segments = this.tracker.segments;
    this.progress.duplicates = this.tracker.duplicates;
  }

  #firstTimeOfBatch(): number {
    return this.#decoder.state[RECORDS]! > 0 ? this.#decoder.times[0]! : this.#decoder.clock;
  }
}
