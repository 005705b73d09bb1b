// A small generator of noise: always the same numbers, of which nothing more is asked than that they differ.
// George Marsaglia, Xorshift RNGs: https://doi.org/10.18637/jss.v008.i14

/** Answers with the next of its signed 32-bit integers. */
export function xorshift(): () => number {
  let state = 0x2545f491;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state;
  };
}
