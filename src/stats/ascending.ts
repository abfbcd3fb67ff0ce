/** Sorts doubles in place, none of them NaN. Those that are not negative are in the order of their bits, which sort in half the time. */
export function sortAscending(values: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
  if (values.every((value) => value >= 0)) new BigInt64Array(values.buffer, values.byteOffset, values.length).sort();
  else values.sort();
  return values;
}
