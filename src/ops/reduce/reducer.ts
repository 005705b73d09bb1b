// What a reduction does to its elements, once in TypeScript for the reference and once in WGSL for four
// lanes: elements are prepared, combined from the identity on, and the result is finished.

import { type DType, isFloat } from '../../base/dtype';
import { computeScalar, literal } from '../wgsl/elements';

export interface Reducer {
  /** What no elements reduce to. */
  identity(dtype: DType): number;
  readonly prepare?: { readonly host: (x: number) => number; readonly wgsl: string };
  readonly combine: { readonly host: (a: number, b: number) => number; readonly wgsl: string };
  /** `wgsl` of the lanes `v` and the number of elements `count`. */
  readonly finish?: { readonly host: (x: number, count: number) => number; readonly wgsl: string };
}

/** Scalar type that a reduction of `dtype` computes in. */
export type AccumulatorType = 'f32' | 'i32' | 'u32';

export function accumulatorType(dtype: DType): AccumulatorType {
  const scalar = computeScalar(dtype);
  return scalar === 'bool' ? 'u32' : scalar;
}

/** The element type whose words hold an accumulator. */
export function accumulatorDType(dtype: DType): DType {
  return ({ f32: 'float32', i32: 'int32', u32: 'uint32' } as const)[accumulatorType(dtype)];
}

const sum = { host: (a: number, b: number) => a + b, wgsl: 'a + b' };
const square = { host: (x: number) => x * x, wgsl: 'x * x' };

export const reducers = {
  ReduceSum: { identity: () => 0, combine: sum },
  ReduceMean: {
    identity: () => 0,
    combine: sum,
    finish: { host: (x, count) => x / count, wgsl: 'v / acc4(acc(count))' },
  },
  ReduceProd: { identity: () => 1, combine: { host: (a, b) => a * b, wgsl: 'a * b' } },
  ReduceMax: { identity: (dtype) => extreme(dtype, -1), combine: { host: Math.max, wgsl: 'max(a, b)' } },
  ReduceMin: { identity: (dtype) => extreme(dtype, 1), combine: { host: Math.min, wgsl: 'min(a, b)' } },
  ReduceSumSquare: { identity: () => 0, prepare: square, combine: sum },
  ReduceL1: { identity: () => 0, prepare: { host: Math.abs, wgsl: 'abs(x)' }, combine: sum },
  ReduceL2: {
    identity: () => 0,
    prepare: square,
    combine: sum,
    finish: { host: Math.sqrt, wgsl: 'acc4(sqrt(vec4f(v)))' },
  },
  ReduceLogSum: { identity: () => 0, combine: sum, finish: { host: Math.log, wgsl: 'acc4(log(vec4f(v)))' } },
} satisfies Record<string, Reducer>;

/** The end of the type's range: its smallest value for sign -1, its largest for 1. */
function extreme(dtype: DType, sign: -1 | 1): number {
  if (isFloat(dtype)) return sign * Number.POSITIVE_INFINITY;
  if (dtype === 'bool') return sign < 0 ? 0 : 1;
  const bits = Math.min(Number(/\d+/.exec(dtype)?.[0]), 32); // 64-bit integers are 32 bits wide on the GPU
  if (dtype.startsWith('u')) return sign < 0 ? 0 : 2 ** bits - 1;
  return sign < 0 ? -(2 ** (bits - 1)) : 2 ** (bits - 1) - 1;
}

/** The functions that the reduction shaders call: identity, prepare, combine, finish. */
export function reducerText(dtype: DType, { identity, combine, prepare, finish }: Reducer): string {
  const scalar = accumulatorType(dtype);
  return `
alias acc = ${scalar};
alias acc4 = vec4<${scalar}>;
fn identity() -> acc4 { return acc4(${literal(accumulatorDType(dtype), identity(dtype))}); }
fn prepare(x: acc4) -> acc4 { return ${prepare?.wgsl ?? 'x'}; }
fn combine(a: acc4, b: acc4) -> acc4 { return ${combine.wgsl}; }
fn finish(v: acc4, count: u32) -> acc4 { return ${finish?.wgsl ?? 'v'}; }
`;
}
