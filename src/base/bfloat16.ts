// bfloat16, the upper half of a float32, to and from JavaScript numbers: round to nearest even, NaN kept.

const f32 = new Float32Array(1);
const u32 = new Uint32Array(f32.buffer);

export function bfloat16ToNumber(bits: number): number {
  u32[0] = bits << 16;
  return f32[0] as number;
}

export function numberToBfloat16(value: number): number {
  f32[0] = value;
  const word = u32[0] as number;
  if ((word & 0x7fffffff) > 0x7f800000) return (word >>> 16) | 0x40;
  return (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
}
