// What is wrong with a capture, said once, with the place.

/** A capture that cannot be read, or not beyond an offset. */
export class CaptureError extends Error {
  /** As the user named it. */
  readonly file: string;
  /** Byte offset of what breaks the rule. */
  readonly offset: number;
  /** The rule that is broken, as a sentence without a full stop. */
  readonly rule: string;

  constructor(file: string, offset: number, rule: string, options?: ErrorOptions) {
    super(`${file}: offset ${offset}: ${rule}`, options);
    this.name = 'CaptureError';
    this.file = file;
    this.offset = offset;
    this.rule = rule;
  }
}

/** What is no capture, rather than one that cannot be read. */
export class NoCaptureError extends CaptureError {}
