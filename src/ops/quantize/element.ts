// Quantisation of one number, as references compute it, and the numbers that integer types hold.

import { bitSize, type DType, isFloat, isSmallFloat } from '../../base/dtype';
import { roundSmallFloat } from '../../base/small-floats';
import { roundHalfEven } from '../rounding.op';

/** The integers that quantisation gives: of 2 to 16 bits. */
export const isQuantizedInteger = (dtype: DType) => !isFloat(dtype) && dtype !== 'bool' && bitSize(dtype) <= 16;

/** The floats that operators compute in. */
export const isWideFloat = (dtype: DType) => isFloat(dtype) && !isSmallFloat(dtype);

/** Smallest and largest number of an integer type. */
export function integerRange(dtype: DType): [least: number, most: number] {
  const bits = bitSize(dtype);
  return dtype.startsWith('u') ? [0, 2 ** bits - 1] : [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1];
}

/**
 * x / scale in float32, rounded to a number of type `to`, around the zero point where that is an integer type. NaN
 * becomes the smallest integer.
 */
export function quantizer(to: DType, saturate = true): (x: number, scale: number, zero: number) => number {
  if (isSmallFloat(to)) {
    return (x, scale) => roundSmallFloat(Math.fround(x / scale), to, { saturate, roundMode: 'up' });
  }
  const [least, most] = integerRange(to);
  return (x, scale, zero) => {
    const rounded = roundHalfEven(Math.fround(x / scale)) + zero;
    return rounded >= least ? Math.min(rounded, most) : least;
  };
}
