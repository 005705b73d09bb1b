// What a reduction does to its elements, once in TypeScript for the reference and once in WGSL for four
// lanes: elements are prepared, combined from the identity on, and the result is finished.

import { type DType, isFloat } from '../../base/dtype';
import { computeScalar, literal } from '../wgsl/elements';
import type { Part } from '../wgsl/join-lanes';
import { logFunction, maxFunction, minFunction } from '../wgsl/special-functions';
import { type Arithmetic, arithmetic, isWide } from '../wgsl/wide-integers';

export interface Reducer {
  /** What no elements reduce to. */
  identity(dtype: DType): number;
  readonly prepare?: { readonly host: (x: number) => number; readonly wgsl: string; readonly overflows?: Arithmetic };
  readonly combine: {
    readonly host: (a: number, b: number) => number;
    readonly wgsl: string;
    /** Where floats need another. */
    readonly float?: string;
    /** What it is, where it may leave the range of its integers. */
    readonly overflows?: Arithmetic;
    /** WGSL's built-in function that combines the values of a subgroup, though it need not respect NaN. */
    readonly subgroup: string;
  };
  /** `wgsl` of the lanes `v` and the number of elements `count`. */
  readonly finish?: { readonly host: (x: number, count: number) => number; readonly wgsl: string };
  /** What the WGSL calls. */
  readonly functions?: Readonly<Record<string, string>>;
}

/** Scalar type that a reduction of `dtype` computes in. */
export type AccumulatorType = 'f32' | 'i32' | 'u32';

export function accumulatorType(dtype: DType): AccumulatorType {
  const scalar = computeScalar(dtype);
  return scalar === 'bool' ? 'u32' : scalar;
}

/** The element type whose words hold an accumulator. */
export function accumulatorDType(dtype: DType): DType {
  if (isWide(dtype)) return dtype;
  return ({ f32: 'float32', i32: 'int32', u32: 'uint32' } as const)[accumulatorType(dtype)];
}

const sum = {
  host: (a: number, b: number) => a + b,
  wgsl: 'a + b',
  overflows: 'add',
  subgroup: 'subgroupAdd',
} as const;
const square = { host: (x: number) => x * x, wgsl: 'x * x', overflows: 'multiply' } as const;

export const reducers = {
  ReduceSum: { identity: () => 0, combine: sum },
  ReduceMean: {
    identity: () => 0,
    combine: sum,
    finish: { host: (x, count) => x / count, wgsl: 'v / acc4(acc(count))' },
  },
  ReduceProd: {
    identity: () => 1,
    combine: { host: (a, b) => a * b, wgsl: 'a * b', overflows: 'multiply', subgroup: 'subgroupMul' },
  },
  // Of floats NaN wins.
  ReduceMax: {
    identity: (dtype) => extreme(dtype, -1),
    combine: { host: Math.max, wgsl: 'max(a, b)', float: 'lepton_max(a, b)', subgroup: 'subgroupMax' },
    functions: maxFunction,
  },
  ReduceMin: {
    identity: (dtype) => extreme(dtype, 1),
    combine: { host: Math.min, wgsl: 'min(a, b)', float: 'lepton_min(a, b)', subgroup: 'subgroupMin' },
    functions: minFunction,
  },
  ReduceSumSquare: { identity: () => 0, prepare: square, combine: sum },
  ReduceL1: { identity: () => 0, prepare: { host: Math.abs, wgsl: 'abs(x)' }, combine: sum },
  ReduceL2: {
    identity: () => 0,
    prepare: square,
    combine: sum,
    finish: { host: Math.sqrt, wgsl: 'acc4(sqrt(vec4f(v)))' },
  },
  ReduceLogSum: {
    identity: () => 0,
    combine: sum,
    finish: { host: Math.log, wgsl: 'acc4(lepton_log(vec4f(v)))' },
    functions: logFunction,
  },
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
export function reducerText(dtype: DType, reducer: Reducer): string {
  const { identity, combine, prepare, finish } = reducer;
  const scalar = accumulatorType(dtype);
  const plain = (scalar === 'f32' ? combine.float : undefined) ?? combine.wgsl;
  const checked = (operation: Arithmetic | undefined, a: string, b: string) =>
    operation && isWide(dtype) ? arithmetic(dtype, operation, 'acc4', a, b) : undefined;
  const prepared = checked(prepare?.overflows, 'x', 'x');
  const combined = checked(combine.overflows, 'a', 'b');
  const functions = { ...reducer.functions, ...prepared?.functions, ...combined?.functions };
  return `
${Object.values(functions).join('\n')}
alias acc = ${scalar};
alias acc4 = vec4<${scalar}>;
fn identity() -> acc4 { return acc4(${literal(accumulatorDType(dtype), identity(dtype))}); }
fn prepare(x: acc4) -> acc4 { return ${prepared?.expression ?? prepare?.wgsl ?? 'x'}; }
fn combine(a: acc4, b: acc4) -> acc4 { return ${combined?.expression ?? plain}; }
fn finish(v: acc4, count: u32) -> acc4 { return ${finish?.wgsl ?? 'v'}; }
`;
}

/** Accumulators as what lanes join; those of wide integers not within subgroups. */
export function accumulatorPart(dtype: DType, { combine }: Reducer): Part {
  const joined = `${combine.subgroup}(v)`;
  const float = combine.float !== undefined && accumulatorType(dtype) === 'f32';
  return {
    type: 'acc',
    bytes: 4,
    join: 'combine(acc4(a), acc4(b)).x',
    nothing: 'identity().x',
    // NaN is known by its bits.
    subgroup: float
      ? `let odd = (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u;
  return select(${joined}, lepton_bits(0x7fc00000u), subgroupAny(odd));`
      : `return ${joined};`,
  };
}
