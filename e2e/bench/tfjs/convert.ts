// Turns an ONNX model into what the benchmark's TF.js page reads. Shapes are made concrete and constants
// folded by Lepton's own passes; biases and activations join the products and convolutions before them, as
// TF.js's converter does for its own format.

import { encode, type NDArray, ndarray } from '../../../src/base/ndarray';
import type { Graph, Node } from '../../../src/ir/graph';
import { specialise } from '../../../src/transform/specialise';
import { compiler } from '../../../src/worker/compiler';
import { MemorySource } from '../../support/memory-source';
import { type Activation, type TfConstant, type TfGraph, type TfNode, tfDTypeOf } from './graph';

export interface TfModel {
  readonly graph: TfGraph;
  readonly weights: Uint8Array<ArrayBuffer>;
}

/** @throws where TF.js lacks an element type or attributes hold what JSON does not */
export async function convert(
  model: Uint8Array<ArrayBuffer>,
  feeds: Readonly<Record<string, { readonly dims: readonly number[] }>>,
): Promise<TfModel> {
  const source = new MemorySource(model);
  const { signal } = new AbortController();
  const read = await compiler.read(source, signal);
  const inlined = await compiler.lookAtConstants(read.graph, () => source, signal);
  const graph = specialise(inlined, sizesOf(inlined, feeds));
  const nodes = fuse(graph.nodes.map(plainNode), graph);
  const used = new Set(nodes.flatMap(({ inputs }) => inputs));
  const [constants, pieces]: [TfConstant[], Uint8Array[]] = [[], []];
  let offset = 0;
  for (const { name, dtype, dims, constant } of graph.values.values()) {
    if (!constant || !used.has(name)) continue;
    const bytes =
      constant.kind === 'inline'
        ? encodeInline(constant.array)
        : await source.read(constant.bytes.offset, constant.bytes.length);
    if (constant.kind === 'stored' && tfDTypeOf(dtype) !== dtype) throw new Error(`"${name}" is too large a ${dtype}.`);
    constants.push({ name, dtype: tfDTypeOf(dtype), dims: dims as number[], offset, length: bytes.length });
    pieces.push(bytes);
    offset += bytes.length;
  }
  const { inputs, outputs } = graph;
  return { graph: { inputs, outputs, constants, nodes }, weights: new Uint8Array(Buffer.concat(pieces)) };
}

/** Numbers beyond 32 bits mean the end of an axis. */
function encodeInline({ dtype, dims, data }: NDArray): Uint8Array {
  const target = tfDTypeOf(dtype);
  if (target === 'float32') return encode(ndarray(target, dims, data));
  const [low, high] = [-(2 ** 31), 2 ** 31 - 1];
  return encode(
    ndarray(
      target,
      dims,
      Array.from(data, (value) => Math.min(Math.max(value, low), high)),
    ),
  );
}

function sizesOf(graph: Graph, feeds: Parameters<typeof convert>[1]): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const name of graph.inputs) {
    graph.values.get(name)?.dims?.forEach((dim, i) => {
      if (typeof dim === 'string') sizes.set(dim, feeds[name]?.dims[i] ?? 1);
    });
  }
  return sizes;
}

function plainNode({ op, inputs, outputs, attributes }: Node): TfNode {
  const plain = Object.entries(attributes).map(([name, value]) => {
    if (typeof value === 'object' && !Array.isArray(value))
      throw new Error(`${op} has an attribute that is no number.`);
    return [name, value as number] as const;
  });
  return { op, inputs, outputs, attributes: Object.fromEntries(plain) };
}

const takesActivation = ['Conv', 'Gemm'];

function fuse(nodes: readonly TfNode[], graph: Graph): TfNode[] {
  const users = new Map<string, number>();
  for (const name of [...nodes.flatMap(({ inputs }) => inputs), ...graph.outputs])
    users.set(name, (users.get(name) ?? 0) + 1);
  const out: TfNode[] = [];
  /** Where the node is that writes a value which only one other reads. */
  const writers = new Map<string, number>();
  const push = (node: TfNode) => {
    const [only] = node.outputs;
    if (only !== undefined && node.outputs.length === 1 && users.get(only) === 1) writers.set(only, out.length);
    out.push(node);
  };
  for (const node of nodes) {
    const fused = fuseInto(node, (name) => out[writers.get(name) ?? -1], graph);
    if (!fused) {
      push(node);
      continue;
    }
    const at = writers.get(fused.into.outputs[0] as string) as number;
    out[at] = fused.node;
    const [only] = node.outputs as [string];
    if (users.get(only) === 1) writers.set(only, at);
  }
  return out;
}

/** The node that does the work of `into` and of `node`, which alone reads its result. */
function fuseInto(
  node: TfNode,
  writerOf: (name: string) => TfNode | undefined,
  graph: Graph,
): { into: TfNode; node: TfNode } | undefined {
  const activation = activationOf(node, graph);
  if (activation) {
    const into = writerOf(node.inputs[0] as string);
    if (!into || into.activation || !takesActivation.includes(into.op)) return undefined;
    return { into, node: { ...into, outputs: node.outputs, activation } };
  }
  if (node.op !== 'Add') return undefined;
  for (const [product, bias] of [node.inputs, [...node.inputs].reverse()] as [string, string][]) {
    const into = writerOf(product);
    const { constant, dims } = graph.values.get(bias) ?? {};
    const right = graph.values.get(into?.inputs[1] ?? '');
    if (into?.op !== 'MatMul' || !constant || dims?.length !== 1 || right?.dims?.length !== 2) continue;
    if (right.dims[1] !== dims[0]) continue;
    return { into, node: { ...into, op: 'Gemm', inputs: [...into.inputs, bias], outputs: node.outputs } };
  }
  return undefined;
}

function activationOf({ op, inputs }: TfNode, graph: Graph): Activation | undefined {
  if (op === 'Relu') return 'relu';
  if (op !== 'Clip') return undefined;
  const [low, high] = inputs.slice(1).map((name) => {
    const constant = graph.values.get(name)?.constant;
    return constant?.kind === 'inline' ? constant.array.data[0] : undefined;
  });
  return low === 0 && high === 6 ? 'relu6' : undefined;
}
