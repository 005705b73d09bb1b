// Finds out where the weights of products and convolutions are not zero, if they mostly are: constants are looked at in
// part, then read through where that part is mostly zeros; the indices of sparse tensors are read, and checked, whole.
// Only counts stay in the heap.

import type { ByteSource } from '../base/bytes';
import { packedBytes } from '../base/dtype';
import { sizeOf, stridesOf } from '../base/shape';
import { subgraphsOf } from '../ir/captures';
import type { Constant, Graph, Node, StoredBytes, Value } from '../ir/graph';
import { mayBeSparse, type Pattern, PatternCounter } from '../ir/pattern';
import { malformed } from './malformed';

type FileOf = (name: string) => ByteSource;

/** Which inputs of an operator can be sparse. */
const weightInputs: Readonly<Record<string, readonly number[]>> = { MatMul: [0, 1], Gemm: [0, 1], Conv: [1] };
/** What may stand between a constant and its product without moving zeros in ways that a pattern does not tell. */
const between = new Set(['Cast', 'Identity', 'Transpose', 'DequantizeLinear']);

/** Bytes of a constant that are looked at first, in so many places: zeros, and what is between them, may lie together. */
const sampleBytes = 1 << 14;
const samplePlaces = 4;
/** Zeros among them from which on the rest is read. */
const worthReading = 0.4;
const pieceBytes = 1 << 20;

/** Bits without the sign, by the types that are looked at: -0 is zero too. */
const magnitudes: Partial<Record<string, number>> = { float32: 0x7fffffff, float16: 0x7fff, int8: 0xff };

/** @throws INVALID_MODEL where the indices of a sparse tensor do not ascend, or lie outside of it */
export async function findPatterns(graph: Graph, fileOf: FileOf, signal: AbortSignal): Promise<Graph> {
  const found = new Map<string, Pattern>();
  for (const name of weightsOf(graph)) {
    const pattern = await ofConstant(graph.values.get(name) as Value, fileOf, signal);
    if (pattern) found.set(name, pattern);
  }
  for (const node of graph.nodes) {
    for (const inner of subgraphsOf(node)) await checkSparse(inner, fileOf, signal);
    if (node.op !== 'lepton.SparseTensor') continue;
    const pattern = await ofIndices(node, graph, fileOf, signal);
    if (pattern) found.set(node.inputs[1] as string, pattern);
  }
  if (found.size === 0) return graph;
  const values = [...graph.values.values()].map((v): [string, Value] => {
    const pattern = found.get(v.name);
    return [v.name, pattern ? { ...v, pattern } : v];
  });
  return { ...graph, values: new Map(values) };
}

/**
 * Looks at the indices of all sparse tensors, those of subgraphs among them.
 * @throws INVALID_MODEL as findPatterns
 */
export async function checkSparse(graph: Graph, fileOf: FileOf, signal: AbortSignal): Promise<void> {
  for (const node of graph.nodes) {
    if (node.op === 'lepton.SparseTensor') await ofIndices(node, graph, fileOf, signal);
    for (const inner of subgraphsOf(node)) await checkSparse(inner, fileOf, signal);
  }
}

function weightsOf(graph: Graph): Set<string> {
  const writers = new Map(graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
  const names = graph.nodes.flatMap((node) => (weightInputs[node.op] ?? []).map((i) => node.inputs[i] ?? ''));
  const roots = names.map((name) => {
    let at = name;
    for (let w = writers.get(at); w && between.has(w.op); w = writers.get(at)) at = w.inputs[0] as string;
    return at;
  });
  return new Set(roots.filter((name) => graph.values.get(name)?.constant?.kind === 'stored'));
}

async function ofConstant(value: Value, fileOf: FileOf, signal: AbortSignal): Promise<Pattern | undefined> {
  const { bytes } = value.constant as Extract<Constant, { kind: 'stored' }>;
  const dims = value.dims as readonly number[];
  const magnitude = magnitudes[value.dtype];
  if (magnitude === undefined || !mayBeSparse(dims)) return undefined;
  const width = packedBytes(value.dtype, 1);
  const file = fileOf(bytes.file);
  let [zeros, seen] = [0, 0];
  for (const { offset, length } of samplesOf(bytes, width)) {
    const look = elements(await file.read(offset, length, signal), width);
    for (const bits of look) if ((bits & magnitude) === 0) zeros++;
    seen += look.length;
  }
  if (zeros < worthReading * seen) return undefined;
  const counter = new PatternCounter(dims);
  for await (const { first, data } of pieces(file, bytes, width, signal)) {
    data.forEach((bits, i) => {
      if ((bits & magnitude) !== 0) counter.add(first + i);
    });
  }
  return counter.pattern();
}

function samplesOf({ offset, length }: StoredBytes, width: number): { offset: number; length: number }[] {
  if (length <= sampleBytes) return [{ offset, length }];
  const each = sampleBytes / samplePlaces;
  return Array.from({ length: samplePlaces }, (_, i) => {
    const share = (2 * i + 1) / (2 * samplePlaces);
    return { offset: offset + width * Math.floor((share * (length - each)) / width), length: each };
  });
}

async function ofIndices(node: Node, graph: Graph, fileOf: FileOf, signal: AbortSignal): Promise<Pattern | undefined> {
  const { dims: shape = [], constant } = graph.values.get(node.inputs[1] as string) as Value;
  const dims = node.attributes.dims as readonly number[];
  const sizes = shape.length === 1 ? [sizeOf(dims)] : dims;
  const steps = shape.length === 1 ? [1] : stridesOf(dims);
  const counter = new PatternCounter(dims.length === 0 ? [1] : dims);
  let last = -1;
  let at = 0;
  let axis = 0;
  const take = (index: number) => {
    const size = sizes[axis] as number;
    const name = node.outputs[0] as string;
    if (!(index >= 0 && index < size)) {
      throw malformed(`The sparse tensor "${name}" has the index ${index}, expected 0 to ${size - 1}.`, {
        tensor: name,
      });
    }
    at += index * (steps[axis] as number);
    axis++;
    if (axis < steps.length) return;
    if (at <= last) {
      throw malformed(`The sparse tensor "${name}" has indices that do not ascend: place ${at} follows ${last}.`, {
        tensor: name,
      });
    }
    counter.add(at);
    [last, at, axis] = [at, 0, 0];
  };
  if (constant?.kind === 'inline') constant.array.data.forEach(take);
  else if (constant) {
    for await (const { data } of pieces(fileOf(constant.bytes.file), constant.bytes, 4, signal)) {
      // int64, low word first; whatever is in the high word is beyond any tensor.
      for (let i = 0; i < data.length; i += 2) take((data[i] as number) + (data[i + 1] as number) * 2 ** 32);
    }
  }
  return mayBeSparse(dims) ? counter.pattern() : undefined;
}

async function* pieces(file: ByteSource, { offset, length }: StoredBytes, width: number, signal: AbortSignal) {
  for (let start = 0; start < length; start += pieceBytes) {
    const bytes = await file.read(offset + start, Math.min(pieceBytes, length - start), signal);
    yield { first: start / width, data: elements(bytes, width) };
  }
}

function elements(bytes: Uint8Array<ArrayBuffer>, width: number): Uint32Array | Uint16Array | Uint8Array {
  if (width === 1) return bytes;
  const whole = bytes.byteOffset % width === 0 ? bytes : bytes.slice();
  const count = Math.floor(whole.byteLength / width);
  return width === 4
    ? new Uint32Array(whole.buffer, whole.byteOffset, count)
    : new Uint16Array(whole.buffer, whole.byteOffset, count);
}
