// Ceil, Floor and Round; Round sends halves to the even neighbour, as IEEE 754 and WGSL do. Their gradient is zero;
// what is to learn through its rounding goes through QuantizeLinear and DequantizeLinear.

import type { OpCase } from '../ir/opdef';
import { flat } from './gradient';
import { pointwiseOp } from './pointwise-op';
import { specialValues } from './special-values';

/** The nearest integer, halves to even. */
export function roundHalfEven(x: number): number {
  return Math.abs(x % 1) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x);
}

export default [
  pointwiseOp({
    name: 'Ceil',
    types: 'float',
    arity: [1, 1],
    element: () => Math.ceil,
    wgsl: (_p, x) => `ceil(${x})`,
    grad: flat,
  }),
  pointwiseOp({
    name: 'Floor',
    types: 'float',
    arity: [1, 1],
    element: () => Math.floor,
    wgsl: (_p, x) => `floor(${x})`,
    grad: flat,
  }),
  pointwiseOp({
    name: 'Round',
    types: 'float',
    arity: [1, 1],
    element: () => roundHalfEven,
    wgsl: (_p, x) => `round(${x})`,
    grad: flat,
  }),
];

const halves: OpCase[] = [
  { name: 'halves', inputs: [{ dims: [9], values: [-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 0.49, -1.51, 1e9] }] },
  { name: 'float16', inputs: [{ dims: [127], range: [-9, 9], dtype: 'float16' }] },
  specialValues,
];
export const cases: Record<string, OpCase[]> = { Ceil: halves, Floor: halves, Round: halves };
