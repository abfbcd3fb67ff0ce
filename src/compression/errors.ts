/** A compressed stream that is damaged or cut. What came before was handed on. */
export class CompressionError extends Error {
  constructor(rule: string, options?: ErrorOptions) {
    super(rule, options);
    this.name = 'CompressionError';
  }
}
