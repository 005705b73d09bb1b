// Weights that are stored as small integers: which products take them as they are, and that the answer stays.

import { describe, expect, it } from 'vitest';
import { plainAdapter } from '../../e2e/support/adapter';
import { hostOutputs } from '../../e2e/support/host-graph';
import { mulberry32 } from '../../e2e/support/random';
import type { DType } from '../base/dtype';
import { type NDArray, ndarray } from '../base/ndarray';
import { sizeOf } from '../base/shape';
import { GraphBuilder } from '../ir/builder';
import { checkGraph } from '../ir/check';
import type { Graph, Node, Value } from '../ir/graph';
import { type Pattern, patternOf, transposed } from '../ir/pattern';
import { inferNode } from '../ops/registry';
import { fuseDequantize } from './fuse-dequantize';
import { fuseDequantizeDynamic } from './fuse-dequantize-dynamic';
import { spreadPatterns } from './spread-patterns';

const random = mulberry32(7);
const drawn = (dtype: DType, dims: number[], low: number, high: number): NDArray => {
  const round = dtype.startsWith('float') ? (v: number) => v : Math.round;
  return ndarray(
    dtype,
    dims,
    Array.from({ length: sizeOf(dims) }, () => round(low + (high - low) * random())),
  );
};
const ranges: Partial<Record<DType, readonly [number, number]>> = {
  int8: [-128, 127],
  uint8: [0, 255],
  int4: [-8, 7],
  uint4: [0, 15],
};
const integers = (dtype: DType, dims: number[]) => drawn(dtype, dims, ...(ranges[dtype] as [number, number]));

interface Form {
  readonly name: string;
  readonly dtype: DType;
  readonly dims: [number, number];
  readonly scale: number[];
  readonly zero?: number[];
  /** In place of `zero`, where all are 0. */
  readonly zeros?: number[];
  readonly axis?: number;
  readonly block_size?: number;
  readonly transposed?: boolean;
  readonly gemm?: Record<string, number>;
}

function build({ dtype, dims, scale, zero, zeros, transposed: isTransposed, gemm, ...attributes }: Form): {
  graph: Graph;
  x: NDArray;
} {
  const b = new GraphBuilder('test', inferNode);
  const turned = isTransposed || gemm?.transB === 1;
  const [k, n] = (turned ? [...dims].reverse() : dims) as [number, number];
  const x = drawn('float32', [3, k], -1, 1);
  const { axis = 1, block_size = 0 } = attributes;
  const inputs = [b.constant(integers(dtype, dims)), b.constant(drawn('float32', scale, 0.01, 0.1))];
  if (zero) inputs.push(b.constant(integers(dtype, zero)));
  if (zeros) inputs.push(b.constant(ndarray(dtype, zeros)));
  let [weights] = b.add('DequantizeLinear', inputs, { axis, block_size }) as [string];
  if (isTransposed) [weights] = b.add('Transpose', [weights], { perm: [1, 0] }) as [string];
  const a = b.input('x', 'float32', x.dims);
  const product = gemm
    ? b.add('Gemm', [a, weights, b.constant(drawn('float32', [n], -1, 1))], gemm)
    : b.add('MatMul', [a, weights]);
  return { graph: b.finish(product), x };
}

const fused: Form[] = [
  { name: 'int8, a scale a column', dtype: 'int8', dims: [37, 12], scale: [12] },
  { name: 'int8, one scale', dtype: 'int8', dims: [37, 12], scale: [] },
  { name: 'uint8 with no zero point', dtype: 'uint8', dims: [32, 5], scale: [5] },
  { name: 'uint8, one scale and zero point', dtype: 'uint8', dims: [32, 5], scale: [1], zero: [1] },
  {
    name: 'int8 with zero points, transposed',
    dtype: 'int8',
    dims: [7, 20],
    scale: [7],
    zero: [7],
    axis: 0,
    transposed: true,
  },
  {
    name: 'Gemm with everything',
    dtype: 'int8',
    dims: [6, 18],
    scale: [6],
    axis: -2,
    gemm: { transB: 1, alpha: 0.5, beta: -2 },
  },
  { name: 'int4 in blocks', dtype: 'int4', dims: [96, 9], scale: [3, 9], axis: 0, block_size: 32 },
  {
    name: 'uint4 in blocks with zero points, the last cut short',
    dtype: 'uint4',
    dims: [70, 9],
    scale: [5, 9],
    zero: [5, 9],
    axis: 0,
    block_size: 16,
  },
  {
    name: 'int4 in blocks with zero points, Gemm',
    dtype: 'int4',
    dims: [9, 70],
    scale: [9, 3],
    zero: [9, 3],
    axis: 1,
    block_size: 32,
    gemm: { transB: 1 },
  },
  { name: 'int8 with zero points that are 0', dtype: 'int8', dims: [37, 12], scale: [12], zeros: [12] },
  { name: 'a block longer than k', dtype: 'int4', dims: [20, 6], scale: [1, 6], axis: 0, block_size: 128 },
];

const kept: Form[] = [
  { name: 'a scale a k', dtype: 'int8', dims: [16, 12], scale: [16], axis: 0 },
  { name: 'blocks of columns', dtype: 'int8', dims: [16, 32], scale: [16, 2], axis: 1, block_size: 16 },
  { name: 'blocks of 8', dtype: 'int8', dims: [16, 12], scale: [2, 12], axis: 0, block_size: 8 },
  { name: 'A transposed', dtype: 'int8', dims: [3, 12], scale: [12], gemm: { transA: 1 } },
];

describe('fuseDequantize', () => {
  it.each(fused)('$name', (form) => {
    const { graph, x } = build(form);
    const after = fuseDequantize(graph);
    checkGraph(after, 'fuseDequantize');
    const ops = after.nodes.map(({ op }) => op);
    expect(ops).toContain('lepton.MatMulNBits');
    expect(ops).not.toContain('DequantizeLinear');
    const feeds = new Map([['x', x]]);
    const [[want], [got]] = [hostOutputs(graph, feeds), hostOutputs(after, feeds)] as [[NDArray], [NDArray]];
    expect(got.dims).toEqual(want.dims);
    want.data.forEach((v, i) => {
      expect(got.data[i]).toBeCloseTo(v as number, 4);
    });
  });

  it.each(kept)('leaves $name alone', (form) => {
    const { graph } = build({ ...form, ...(form.gemm?.transA ? { dims: [3, 12] } : {}) });
    expect(fuseDequantize(graph).nodes.map(({ op }) => op)).toContain('DequantizeLinear');
  });

  it('takes int8 that is nearly all zeros with its pattern, and leaves other such weights to sparse products as floats', () => {
    const fusedWith = (form: Form, zeros: number) => {
      const { graph } = build(form);
      const value = [...graph.values.values()].find(({ dtype }) => dtype === form.dtype) as Value;
      const kept = drawn('float32', form.dims, 0, 1);
      const pattern = patternOf({ ...kept, data: kept.data.map((v) => (v < zeros ? 0 : v)) }) as Pattern;
      // A file's, which is not looked at again.
      const bytes = { file: '', offset: 0, length: sizeOf(form.dims) };
      const stored: Value = { ...value, pattern, constant: { kind: 'stored', bytes } };
      return { pattern, graph: fuseDequantize({ ...graph, values: new Map(graph.values).set(value.name, stored) }) };
    };
    const { graph, pattern } = fusedWith(fused[0] as Form, 0.95);
    const spread = spreadPatterns(graph);
    const node = spread.nodes.find(({ op }) => op === 'lepton.MatMulNBits') as Node;
    expect(spread.values.get(node.inputs[1] as string)?.pattern).toBe(transposed(pattern));
    const inBlocks = fused.find(({ dtype }) => dtype === 'int4') as Form;
    expect(fusedWith(inBlocks, 0.95).graph.nodes.map(({ op }) => op)).toContain('DequantizeLinear');
    expect(fusedWith(inBlocks, 0.6).graph.nodes.map(({ op }) => op)).toContain('lepton.MatMulNBits');
  });

  it('leaves weights alone that are no constants', () => {
    const b = new GraphBuilder('test', inferNode);
    const weights = b.add('DequantizeLinear', [b.input('w', 'int8', [4, 6]), b.constant(drawn('float32', [6], 0, 1))]);
    const graph = b.finish(b.add('MatMul', [b.input('x', 'float32', [2, 4]), ...weights]));
    expect(fuseDequantize(graph).nodes.map(({ op }) => op)).toEqual(['DequantizeLinear', 'MatMul']);
  });
});

const adapter = (software: boolean) => plainAdapter({ features: ['packed_4x8_integer_dot_product'], software });

/** DynamicQuantizeLinear → MatMulInteger → Cast → Mul. */
function dynamic(dtype: DType, zero?: number[]): Graph {
  const b = new GraphBuilder('test', inferNode);
  const [bytes, scale, left] = b.add('DynamicQuantizeLinear', [b.input('x', 'float32', [3, 40])], {}, 3);
  const right = zero ? [b.constant(integers(dtype, zero))] : [];
  const inputs = [bytes as string, b.constant(integers(dtype, [40, 7])), left as string, ...right];
  const sums = b.add('Cast', b.add('MatMulInteger', inputs), { to: 1 });
  return b.finish(b.add('Mul', [...sums, scale as string]));
}

describe('fuseDequantizeDynamic', () => {
  it.each([
    ['int8', undefined],
    ['uint8', undefined],
    ['int8', [7]],
    ['uint8', []],
  ] as const)('%s with a zero point of %s', (dtype, zero) => {
    const graph = dynamic(dtype, zero && [...zero]);
    const after = fuseDequantizeDynamic(graph, adapter(true));
    checkGraph(after, 'fuseDequantizeDynamic');
    expect(after.nodes.map(({ op }) => op)).not.toContain('MatMulInteger');
    const feeds = new Map([['x', drawn('float32', [3, 40], -2, 3)]]);
    const [[want], [got]] = [hostOutputs(graph, feeds), hostOutputs(after, feeds)] as [[NDArray], [NDArray]];
    const most = Math.max(...want.data.map(Math.abs));
    want.data.forEach((v, i) => {
      expect(Math.abs((got.data[i] as number) - (v as number)) / most).toBeLessThan(1e-6);
    });
  });

  it('leaves products alone that a GPU has an instruction for', () => {
    const graph = dynamic('int8');
    expect(fuseDequantizeDynamic(graph, adapter(false))).toBe(graph);
  });
});
