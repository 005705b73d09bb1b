// Floats of 8 and 4 bits to and from JavaScript numbers, as ONNX's Cast defines them: rounded to the nearest,
// ties to even. https://onnx.ai/onnx/technical/float8.html and float4.html
// A format is sign, exponent and fraction bits; 'fnuz' ones have one zero and one NaN (the code of -0) and no
// infinity, float8e4m3fn has the NaN S.1111.111 only, float4e2m1 has neither NaN nor infinity, and float8e8m0
// is a bare exponent: powers of two from 2^-127, and NaN.

import type { SmallFloat } from './dtype';

export interface FloatFormat {
  readonly fractionBits: number;
  /** Exponent of the smallest normal number. */
  readonly least: number;
  readonly max: number;
  readonly infinity: boolean;
  readonly nan: boolean;
  readonly negativeZero: boolean;
}

const signs = { infinity: false, nan: true, negativeZero: true };
/** float8e8m0 is not among them: it has neither sign nor fraction. */
export const floatFormats = {
  float8e4m3fn: { ...signs, fractionBits: 3, least: -6, max: 448 },
  float8e4m3fnuz: { ...signs, fractionBits: 3, least: -7, max: 240, negativeZero: false },
  float8e5m2: { ...signs, fractionBits: 2, least: -14, max: 57344, infinity: true },
  float8e5m2fnuz: { ...signs, fractionBits: 2, least: -15, max: 57344, negativeZero: false },
  float4e2m1: { ...signs, fractionBits: 1, least: 0, max: 6, nan: false },
} as const satisfies Record<Exclude<SmallFloat, 'float8e8m0'>, FloatFormat>;

export type RoundMode = 'up' | 'down' | 'nearest';

export interface SmallFloatRounding {
  /** What is beyond the largest number becomes that number, and not infinity or NaN. */
  readonly saturate: boolean;
  /** Of float8e8m0, whose numbers lie too far apart for one rule. */
  readonly roundMode: RoundMode;
}

const byDefault: SmallFloatRounding = { saturate: true, roundMode: 'up' };

/** The number of the format that `x` becomes; in float4e2m1, which has no NaN, that is -0 for it. */
export function roundSmallFloat(x: number, dtype: SmallFloat, rounding = byDefault): number {
  if (dtype === 'float8e8m0') return decodeSmallFloat(dtype, exponentCode(x, rounding));
  const { fractionBits, least, max, infinity, nan, negativeZero } = floatFormats[dtype];
  if (Number.isNaN(x)) return nan ? x : -0;
  const magnitude = Math.abs(x);
  const step = 2 ** (Math.max(exponentOf(magnitude), least) - fractionBits);
  const rounded = Number.isFinite(magnitude) ? roundToEven(magnitude / step) * step : magnitude;
  const beyond = rounding.saturate || !nan ? max : infinity ? Number.POSITIVE_INFINITY : Number.NaN;
  const value = rounded > max ? beyond : rounded;
  return value === 0 && !negativeZero ? 0 : x < 0 || Object.is(x, -0) ? -value : value;
}

/** The number that a code of 8 or 4 bits stands for. */
export function decodeSmallFloat(dtype: SmallFloat, code: number): number {
  return (tables[dtype] ?? makeTable(dtype))[code] as number;
}

/** The code of a number; what the format does not hold is rounded, and saturates. */
export function encodeSmallFloat(dtype: SmallFloat, x: number): number {
  if (dtype === 'float8e8m0') return exponentCode(x, byDefault);
  const { infinity, nan, negativeZero, least, fractionBits } = floatFormats[dtype];
  const sign = dtype === 'float4e2m1' ? 8 : 0x80;
  if (Number.isNaN(x)) return nan && negativeZero ? 0x7f : sign;
  const exact = Math.abs(x) === Number.POSITIVE_INFINITY && infinity;
  const value = exact ? x : roundSmallFloat(x, dtype);
  const signBit = value < 0 || Object.is(value, -0) ? sign : 0;
  if (exact) return signBit | 0x7c;
  const magnitude = Math.abs(value);
  const exponent = Math.max(exponentOf(magnitude), least);
  // In steps from the exponent's own power of two: the hidden bit carries into the exponent field.
  return signBit | (((exponent - least) << fractionBits) + magnitude / 2 ** (exponent - fractionBits));
}

const tables: Partial<Record<SmallFloat, Float32Array>> = {};

function makeTable(dtype: SmallFloat): Float32Array {
  const table = Float32Array.from({ length: dtype === 'float4e2m1' ? 16 : 256 }, (_, code) => numberOf(dtype, code));
  tables[dtype] = table;
  return table;
}

function numberOf(dtype: SmallFloat, code: number): number {
  if (dtype === 'float8e8m0') return code === 0xff ? Number.NaN : 2 ** (code - 127);
  const { fractionBits, least, max, infinity, nan, negativeZero } = floatFormats[dtype];
  const half = dtype === 'float4e2m1' ? 8 : 128;
  const sign = code >= half ? -1 : 1;
  const magnitude = code % half;
  if (magnitude === 0 && sign < 0 && !negativeZero) return Number.NaN;
  const field = magnitude >> fractionBits;
  const fraction = magnitude & ((1 << fractionBits) - 1);
  const value =
    field === 0
      ? fraction * 2 ** (least - fractionBits)
      : (fraction + (1 << fractionBits)) * 2 ** (field - 1 + least - fractionBits);
  if (value > max && nan) return infinity && fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * value;
}

/** The sign is dropped, and zero becomes the smallest power of two. */
function exponentCode(x: number, { saturate, roundMode }: SmallFloatRounding): number {
  f32[0] = x;
  const word = u32[0] as number;
  const exponent = (word >>> 23) & 0xff;
  const fraction = word & 0x7fffff;
  if (exponent === 0xff) return 0xff;
  const half = 0x400000;
  // Half way goes up; but 2^-127, half of the next number in a float32 without its hidden bit, is a number.
  const least = exponent === 0 && fraction === half;
  const up = {
    up: fraction > 0 && !least,
    down: false,
    nearest: fraction >= half && !least,
  }[roundMode];
  return saturate && exponent === 0xfe ? exponent : exponent + Number(up);
}

const f32 = new Float32Array(1);
const u32 = new Uint32Array(f32.buffer);
const f64 = new Float64Array(1);
const highWord = new Uint32Array(f64.buffer);

/** The exponent of a number: 2^e <= x < 2^(e+1); that of 0 lies below all. */
function exponentOf(x: number): number {
  f64[0] = x;
  return (((highWord[1] as number) >>> 20) & 0x7ff) - 1023;
}

function roundToEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  return floor + Number(rest > 0.5 || (rest === 0.5 && floor % 2 === 1));
}
