// IEEE 754 binary16 to and from JavaScript numbers, round to nearest even, subnormals and NaN kept.

const f32 = new Float32Array(1);
const u32 = new Uint32Array(f32.buffer);
const smallest = 2 ** -24;

export function float16ToNumber(bits: number): number {
  const magnitude = bits & 0x7fff;
  if (magnitude < 0x400) return (bits & 0x8000 ? -magnitude : magnitude) * smallest;
  // The exponent's bias grows from 15 to 127; infinity and NaN have all its bits set in either format.
  const rebias = magnitude < 0x7c00 ? 112 << 23 : 224 << 23;
  u32[0] = ((bits & 0x8000) << 16) | ((magnitude << 13) + rebias);
  return f32[0] as number;
}

export function numberToFloat16(value: number): number {
  f32[0] = value;
  const x = u32[0] as number;
  const sign = (x >>> 16) & 0x8000;
  const magnitude = x & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00; // NaN
  if (magnitude >= 0x47800000) return sign | 0x7c00; // 65536 and above, infinity
  if (magnitude < 0x38800000) {
    // Below 2^-14: a multiple of 2^-24. The product is exact, so one rounding decides.
    const scaled = Math.abs(value) * 2 ** 24;
    const floor = Math.floor(scaled);
    const rest = scaled - floor;
    const up = rest > 0.5 || (rest === 0.5 && (floor & 1) === 1);
    return sign | (floor + (up ? 1 : 0));
  }
  const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1);
  return sign | ((rounded - 0x38000000) >>> 13);
}
