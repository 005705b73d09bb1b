import { describe, expect, it } from 'vitest';
import type { SmallFloat } from './dtype';
import { decodeSmallFloat, encodeSmallFloat, type RoundMode, roundSmallFloat } from './small-floats';

const formats: SmallFloat[] = [
  'float8e4m3fn',
  'float8e4m3fnuz',
  'float8e5m2',
  'float8e5m2fnuz',
  'float8e8m0',
  'float4e2m1',
];
const { NaN: nan, POSITIVE_INFINITY: infinity } = Number;
const strict = { saturate: false, roundMode: 'up' } as const;

describe('floats of 8 and 4 bits', () => {
  it.each(formats)('%s: every number has its code, and stays itself', (dtype) => {
    for (let code = 0; code < (dtype === 'float4e2m1' ? 16 : 256); code++) {
      const value = decodeSmallFloat(dtype, code);
      expect(decodeSmallFloat(dtype, encodeSmallFloat(dtype, value))).toBe(value);
      if (!Number.isNaN(value)) expect(encodeSmallFloat(dtype, value)).toBe(code);
      expect(roundSmallFloat(value, dtype, strict)).toBe(value);
    }
  });

  // The largest numbers, and what the formats make of what lies beyond: https://onnx.ai/onnx/technical/float8.html
  it.each([
    ['float8e4m3fn', 448, 464, nan],
    ['float8e4m3fnuz', 240, 247, nan],
    ['float8e5m2', 57344, 61439, infinity],
    ['float8e5m2fnuz', 57344, 61439, nan],
    ['float4e2m1', 6, 7, 6],
  ] as const)('%s ends at %f', (dtype, max, rounded, beyond) => {
    expect(roundSmallFloat(rounded, dtype, strict)).toBe(max);
    expect(roundSmallFloat(2 * max, dtype, strict)).toBe(beyond);
    expect(roundSmallFloat(-infinity, dtype, strict)).toBe(-beyond);
    expect(roundSmallFloat(infinity, dtype)).toBe(max);
    expect(roundSmallFloat(-1e30, dtype)).toBe(-max);
  });

  it('ties go to the even neighbour, below the smallest normal number too', () => {
    expect([17, 18, 19, 2 ** -10, 3 * 2 ** -10].map((x) => roundSmallFloat(x, 'float8e4m3fn'))).toEqual([
      16,
      18,
      20,
      0,
      2 ** -8,
    ]);
    expect([0.25, 0.75, 2.5, 5].map((x) => roundSmallFloat(x, 'float4e2m1'))).toEqual([0, 1, 2, 4]);
  });

  it('fnuz formats have one zero, float4e2m1 has no NaN', () => {
    expect(roundSmallFloat(-0, 'float8e5m2fnuz')).toBe(0);
    expect(roundSmallFloat(-1e-9, 'float8e4m3fnuz')).toBe(0);
    expect(roundSmallFloat(-1e-9, 'float8e4m3fn')).toBe(-0);
    expect(encodeSmallFloat('float8e4m3fnuz', nan)).toBe(0x80);
    expect(roundSmallFloat(nan, 'float4e2m1')).toBe(-0);
  });

  it('float8e8m0 rounds to a power of two as told', () => {
    const round = (x: number, roundMode: RoundMode) => roundSmallFloat(x, 'float8e8m0', { saturate: true, roundMode });
    expect([1.1, 1.5, 1.6, -4, 0].map((x) => round(x, 'up'))).toEqual([2, 2, 2, 4, 2 ** -127]);
    expect([1.1, 1.5, 1.6].map((x) => round(x, 'down'))).toEqual([1, 1, 1]);
    expect([1.1, 1.5, 1.6].map((x) => round(x, 'nearest'))).toEqual([1, 2, 2]);
    expect(round(1.9 * 2 ** 127, 'up')).toBe(2 ** 127);
    expect(roundSmallFloat(1.9 * 2 ** 127, 'float8e8m0', strict)).toBe(nan);
    expect(round(infinity, 'up')).toBe(nan);
  });
});
