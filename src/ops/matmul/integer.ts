// Products of 32-bit integers, which wrap around, and of 64-bit ones, where what 32 bits do not hold is an error.

import integerText from '../../../shaders/matmul-integer.wgsl?raw';
import { type DType, isFloat } from '../../base/dtype';
import { ceilDiv } from '../../base/shape';
import { computeVec, wordsPerQuad } from '../wgsl/elements';
import { arithmetic } from '../wgsl/wide-integers';
import { kernelProblem, type Problem } from './problem';
import {
  epilogueAxis,
  type Grid,
  kQuads,
  loads,
  type MatMulKernel,
  problemOf,
  productDispatch,
  resultBytes,
  workgroupsOf,
} from './product';
import { storeText } from './text';

/** `plus` and `by` of matmul-integer.wgsl. */
function arithmeticText(dtype: DType): string {
  const vector = computeVec(dtype);
  const [sum, product] = (['add', 'multiply'] as const).map((o) => arithmetic(dtype, o, vector, 'a', 'b')) as [
    ReturnType<typeof arithmetic>,
    ReturnType<typeof arithmetic>,
  ];
  const text = `${Object.values({ ...sum.functions, ...product.functions }).join('\n')}
fn plus(a: ${vector}, b: ${vector}) -> ${vector} { return ${sum.expression}; }
fn by(a: ${vector}, b: ${vector}) -> ${vector} { return ${product.expression}; }
`;
  // A fused program brings functions of the same names.
  return text.replaceAll('lepton_', 'product_');
}

const gridOf = (p: Problem, lanes: number): Grid => ({
  rowTiles: ceilDiv(p.m, 4),
  columnTiles: ceilDiv(p.n, 4 * lanes),
  splits: 1,
});

export const integer: MatMulKernel = {
  name: 'integer',
  space: { lanes: [32, 8] },
  epilogueAxis,
  when(n) {
    const { dtype } = n.input(0);
    return !isFloat(dtype) && wordsPerQuad(dtype) === 4 && kernelProblem(n) !== undefined;
  },
  cost(n, { lanes = 32 }) {
    const p = problemOf(n);
    const workgroups = workgroupsOf(p, gridOf(p, lanes));
    const invocations = workgroups * lanes;
    const steps = kQuads(p, 1);
    return {
      flops: invocations * steps * 128,
      traffic: loads(n, invocations, steps, 8) + resultBytes(n, p),
      workgroups,
    };
  },
  dispatches(n, { lanes = 32 }) {
    const p = problemOf(n);
    return [
      productDispatch(n, p, gridOf(p, lanes), {
        label: 'MatMul.integer',
        text: arithmeticText(n.input(0).dtype) + integerText,
        constants: { LANES: lanes },
        tail: storeText(n, p),
      }),
    ];
  },
};
