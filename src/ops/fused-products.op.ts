// What ONNX Runtime's optimiser makes of a convolution or matrix product and its neighbours, in com.microsoft: taken
// apart again, so that Lepton's own fusion decides. FusedConv adds a tensor and an activation, FusedGemm an
// activation, FusedMatMul a factor and transpositions, also of the first axis with those between it and the last.

import { type NDArray, ndarray } from '../base/ndarray';
import { sameDims, stridesOf } from '../base/shape';
import { float, floats, int, string } from '../ir/attributes';
import { NodeView } from '../ir/node-view';
import { defineOp, type OpCase } from '../ir/opdef';
import { convReference } from './conv/reference';
import { convAttributes } from './conv/shape';
import conv from './conv.op';
import { fusedActivation } from './fused/activation';
import gemm from './gemm.op';
import { type MatMulAttributes, productOf } from './matmul/problem';
import { matmulReference } from './matmul/reference';
import { walkCopy } from './wgsl/strided-copy';

const mapped = (array: NDArray, f: (x: number, i: number) => number) =>
  ndarray(array.dtype, array.dims, Array.from(array.data, f));

const fusedConv = defineOp({
  name: 'com.microsoft.FusedConv',
  attributes: { ...convAttributes, activation: string(''), activation_params: floats([]) },
  infer(n) {
    fusedActivation(n, n.attributes.activation, n.attributes.activation_params);
    const types = conv.infer(n);
    const [y, z] = [types[0]?.dims ?? [], n.inputs[3]];
    if (z && !sameDims(z.dims, y)) n.fail('adds a tensor whose shape is not that of the convolution');
    return types;
  },
  reference(n, inputs) {
    const { host } = fusedActivation(n, n.attributes.activation, n.attributes.activation_params);
    const [sums] = convReference(n, inputs.slice(0, 3)) as [NDArray];
    return [mapped(sums, (v, i) => host(v + (inputs[3]?.data[i] ?? 0)))];
  },
  lower(n, b) {
    const { activation, activation_params, ...attributes } = n.node.attributes;
    const sums = b.add('Conv', n.node.inputs.slice(0, 3), attributes);
    const added = n.has(3) ? b.add('Add', [...sums, n.node.inputs[3] as string]) : sums;
    return fusedActivation(n, n.attributes.activation, n.attributes.activation_params).add(added, b);
  },
});

const activationNumbers = { activation_alpha: float(), activation_beta: float(), activation_gamma: float() };

type GemmNumbers = Readonly<Record<keyof typeof activationNumbers, number | undefined>> & { activation: string };
const gemmActivation = (n: NodeView<GemmNumbers>) => {
  const { activation, activation_alpha, activation_beta } = n.attributes;
  return fusedActivation(
    n,
    activation,
    [activation_alpha, activation_beta].filter((v) => v !== undefined),
  );
};

const fusedGemm = defineOp({
  name: 'com.microsoft.FusedGemm',
  attributes: { ...gemm.attributes, ...activationNumbers, activation: string('') },
  infer(n) {
    gemmActivation(n);
    return gemm.infer(n);
  },
  reference(n, inputs) {
    const [sums] = gemm.reference(n, inputs) as [NDArray];
    return [mapped(sums, gemmActivation(n).host)];
  },
  lower(n, b) {
    const { alpha, beta, transA, transB } = n.attributes;
    return gemmActivation(n).add(b.add('Gemm', n.node.inputs, { alpha, beta, transA, transB }), b);
  },
});

interface FusedMatMul extends MatMulAttributes {
  readonly transBatchA: number;
  readonly transBatchB: number;
}

/** Order of the axes of operand `i` that brings its batch to the front; undefined where it is there already. */
function batchFirst(n: NodeView<FusedMatMul>, i: 0 | 1): number[] | undefined {
  const { transBatchA, transBatchB } = n.attributes;
  const rank = n.input(i).dims.length;
  if (!(i === 0 ? transBatchA : transBatchB) || rank < 3) return undefined;
  return [...Array.from({ length: rank - 2 }, (_, d) => d + 1), 0, rank - 1];
}

/** Transposing a vector does nothing. */
function matrixAttributes(n: NodeView<FusedMatMul>): MatMulAttributes {
  const { transA, transB, alpha } = n.attributes;
  const isVector = (i: number) => n.input(i).dims.length < 2;
  return { transA: isVector(0) ? 0 : transA, transB: isVector(1) ? 0 : transB, alpha };
}

/** The product of the rearranged operands. */
function plainProduct(n: NodeView<FusedMatMul>): NodeView<MatMulAttributes> {
  const inputs = ([0, 1] as const).map((i) => {
    const { dtype, dims } = n.input(i);
    return { dtype, dims: batchFirst(n, i)?.map((axis) => dims[axis] as number) ?? dims, isConstant: false };
  });
  return new NodeView(n.node, matrixAttributes(n), inputs);
}

const fusedMatMul = defineOp({
  name: 'com.microsoft.FusedMatMul',
  attributes: { alpha: float(1), transA: int(0), transB: int(0), transBatchA: int(0), transBatchB: int(0) },
  infer: (n) => [{ dtype: n.input(0).dtype, dims: productOf(plainProduct(n)).dims }],
  reference(n, inputs) {
    const arranged = ([0, 1] as const).map((i) => {
      const array = inputs[i] as NDArray;
      const perm = batchFirst(n, i);
      const pick = (from: readonly number[]) => (perm ?? []).map((axis) => from[axis] as number);
      return perm
        ? walkCopy(array, { dims: pick(array.dims), strides: pick(stridesOf(array.dims)), offset: 0 })
        : array;
    });
    return matmulReference(plainProduct(n), arranged);
  },
  lower(n, b) {
    const operands = ([0, 1] as const).flatMap((i) => {
      const perm = batchFirst(n, i);
      const name = n.node.inputs[i] as string;
      return perm ? b.add('Transpose', [name], { perm }) : [name];
    });
    return b.add('lepton.MatMul', operands, { ...matrixAttributes(n) });
  },
});

export default [fusedConv, fusedGemm, fusedMatMul];

const image = { dims: [1, 3, 6, 5] };
const filter = { dims: [4, 3, 3, 3], constant: true };
const same = { pads: [1, 1, 1, 1] };

export const cases: Record<string, OpCase[]> = {
  'com.microsoft.FusedConv': [
    {
      name: 'sum and parameters',
      inputs: [image, filter, { dims: [4] }, { dims: [1, 4, 6, 5] }],
      attributes: { ...same, activation: 'HardSigmoid', activation_params: [0.3, 0.4] },
    },
    {
      name: 'clipped',
      inputs: [image, filter],
      attributes: { activation: 'Clip', activation_params: [-0.5, 0.25] },
      tolerance: 1e-4,
    },
  ],
  'com.microsoft.FusedGemm': [
    {
      name: 'leaky',
      inputs: [{ dims: [3, 9] }, { dims: [5, 9] }, { dims: [5] }],
      attributes: { transB: 1, alpha: 0.5, activation: 'LeakyRelu', activation_alpha: 0.2 },
    },
  ],
  'com.microsoft.FusedMatMul': [
    {
      name: 'factor and transposition',
      inputs: [{ dims: [2, 7, 3] }, { dims: [2, 5, 7] }],
      attributes: { alpha: 0.25, transA: 1, transB: 1 },
    },
    {
      name: 'batch behind the rows',
      inputs: [{ dims: [4, 2, 3, 7] }, { dims: [7, 2, 3, 5] }],
      attributes: { transBatchA: 1, transBatchB: 1 },
    },
    {
      name: 'batch behind the columns',
      inputs: [{ dims: [7, 2, 4] }, { dims: [2, 5, 7] }],
      attributes: { transBatchA: 1, transA: 1, transB: 1 },
    },
  ],
};
