// Products with weights that are stored as integers of 4 or 8 bits (DequantizeLinear of a constant in front of MatMul or
// Gemm) keep them so on the GPU: the weights are packed at load, and the product takes them apart in registers, or
// makes floats of them at load after all, whichever its kernels find faster. This comes before lowering, while scales and
// zero points still say to which axis and blocks they belong. Weights of other operators become floats at load, and those
// that are nearly all zeros do where sparse products would not take them as they are.

import { bitSize, type DType } from '../base/dtype';
import { int64s, ndarray, scalar } from '../base/ndarray';
import { numberOfDType } from '../base/onnx-dtypes';
import { ceilDiv, sizeOf } from '../base/shape';
import type { Graph, Node } from '../ir/graph';
import { packable } from '../ops/nbits/pack-bits';
import { chunkSize, internalName } from '../ops/nbits/problem';
import { constantValues } from './constants';
import { type Rule, rewrite, type Surroundings } from './rewrite';

export function fuseDequantize(graph: Graph): Graph {
  if (!graph.nodes.some(isDequantize)) return graph;
  const constants = constantValues(graph);
  const sparse = sparseWeights(graph);
  const are: Weighed = { constant: (name) => constants.has(name), sparse: (name) => sparse.has(name) };
  return rewrite(graph, {
    MatMul: (node, around) => product(node.inputs as [string, string], { transB: 0, alpha: 1 }, around, are),
    Gemm: gemm(are),
  });
}

/** Share of zeros from which a product that leaves them out is faster than one of integers. */
const mostlyZeros = 0.85;

/** Constants that are for sparse products: what the file has as a sparse tensor, and what might as well be one. */
function sparseWeights(graph: Graph): ReadonlySet<string> {
  const found = new Set<string>();
  for (const { name, pattern } of graph.values.values()) {
    if (pattern && pattern.nonZeros <= (1 - mostlyZeros) * pattern.rows * pattern.columns) found.add(name);
  }
  for (const { op, outputs } of graph.nodes) {
    if (op === 'lepton.SparseTensor') found.add(outputs[0] as string);
  }
  return found;
}

const isDequantize = ({ op }: Node) => op === 'DequantizeLinear' || op === 'com.microsoft.DequantizeLinear';

/** What is known of values by name. */
interface Weighed {
  constant(name: string): boolean;
  /** Mostly zeros. */
  sparse(name: string): boolean;
}

const gemm =
  (are: Weighed): Rule =>
  (node, around) => {
    const { transA = 0, transB = 0, alpha = 1, beta = 1 } = node.attributes as Record<string, number | undefined>;
    const [a, w, c = ''] = node.inputs as [string, string, string?];
    const result = transA === 0 ? product([a, w], { transB, alpha }, around, are) : undefined;
    if (result === undefined || c === '' || beta === 0) return result;
    const scaled = beta === 1 ? c : around.add('Mul', [c, around.constant(scalar(around.type(result).dtype, beta))]);
    return around.add('Add', [result, scaled]);
  };

/** Weights as they are stored, and how the product reads them. */
interface Weights {
  readonly dequantize: Node;
  /** The axis that is summed over. */
  readonly along: 0 | 1;
}

function product(
  [a, w]: readonly [string, string],
  { transB, alpha }: { transB: number; alpha: number },
  around: Surroundings,
  are: Weighed,
): string | undefined {
  const found = weightsOf(w, transB !== 0, around);
  if (!found || found.dequantize.inputs.some((name) => name !== '' && !are.constant(name))) return undefined;
  const { dequantize, along } = found;
  const [stored, scale] = dequantize.inputs as [string, string];
  const { dtype, dims } = around.type(stored);
  const { dtype: float } = around.type(a);
  const [k, n] = [dims[along], dims[1 - along]] as [number, number];
  const blocks = blocksOf(found, around);
  if (!packable.includes(dtype) || !blocks || k === 0 || n === 0) return undefined;
  const zero = zeroPointOf(dequantize, dtype, around);
  if (are.sparse(stored) && !(dtype === 'int8' && blocks.count === 1 && zero === '')) return undefined;

  const bits = bitSize(dtype);
  const { count, size } = blocks;
  /** Scales or zero points [n, blocks], or the other way round. */
  const matrix = (name: string) => {
    if (count > 1 || sizeOf(around.type(name).dims) === n) return name;
    const single = reshaped(name, [1, 1], around);
    return n === 1 ? single : around.add('Expand', [single, around.constant(int64s([n, 1]))]);
  };
  const pack = (name: string, from: 0 | 1, bytes: number) =>
    around.add('lepton.PackBits', [name], { transposed: 1 - from, bytes });

  const weights = pack(stored, along, (count * size * bits) / 8);
  const own = matrix(scale);
  const lying = count > 1 && along === 0 ? around.add('Transpose', [own], { perm: [1, 0] }) : own;
  const scales = scaled(reshaped(lying, [n, count], around), float, alpha, around);
  const inputs = [a, weights, scales];
  const zeroBytes = ceilDiv(count * bits, 8);
  if (zero !== '') {
    const zeros = matrix(zero);
    inputs.push(pack(count > 1 ? zeros : reshaped(zeros, [n, 1], around), count > 1 ? along : 1, zeroBytes));
  } else if (dtype.startsWith('uint')) {
    inputs.push(around.constant(ndarray('uint8', [n, zeroBytes])));
  }
  return around.add(internalName, inputs, { K: k, N: n, bits, block_size: size });
}

/** The DequantizeLinear that an operand comes from, maybe through a transposition. */
function weightsOf(name: string, transposed: boolean, around: Surroundings): Weights | undefined {
  const node = around.writer(name);
  if (!node || around.type(name).dims.length !== 2) return undefined;
  if (node.op === 'Transpose') {
    const perm = (node.attributes.perm as readonly number[] | undefined) ?? [1, 0];
    return weightsOf(node.inputs[0] as string, perm[0] === 1 ? !transposed : transposed, around);
  }
  if (!isDequantize(node)) return undefined;
  return { dequantize: node, along: transposed ? 1 : 0 };
}

/** The name of the zero point, empty where it says no more than that 0 of signed numbers stands for 0. */
function zeroPointOf({ inputs }: Node, dtype: DType, around: Surroundings): string {
  const zero = inputs[2] ?? '';
  const data = dtype.startsWith('int') ? around.array(zero)?.data : undefined;
  return data?.every((v) => v === 0) ? '' : zero;
}

/** How many scales a column has, and for how many of its weights each; undefined where a scale spans several columns' parts. */
function blocksOf({ dequantize, along }: Weights, around: Surroundings): { count: number; size: number } | undefined {
  const [stored, scale] = dequantize.inputs as [string, string];
  const { axis = 1, block_size: size = 0 } = dequantize.attributes as { axis?: number; block_size?: number };
  const k = around.type(stored).dims[along] as number;
  const whole = { count: 1, size: chunkSize * ceilDiv(k, chunkSize) };
  if (size === 0) {
    const single = sizeOf(around.type(scale).dims) === 1;
    return single || (axis + 2) % 2 === 1 - along ? whole : undefined;
  }
  if ((axis + 2) % 2 !== along) return undefined;
  if (size >= k) return whole;
  return size % chunkSize === 0 ? { count: ceilDiv(k, size), size } : undefined;
}

function scaled(scales: string, float: DType, alpha: number, around: Surroundings): string {
  const cast =
    around.type(scales).dtype === float ? scales : around.add('Cast', [scales], { to: numberOfDType(float) });
  return alpha === 1 ? cast : around.add('Mul', [cast, around.constant(scalar(float, alpha))]);
}

function reshaped(name: string, dims: readonly number[], around: Surroundings): string {
  const own = around.type(name).dims;
  if (own.length === dims.length && own.every((d, i) => d === dims[i])) return name;
  return around.add('Reshape', [name, around.constant(int64s(dims))]);
}
