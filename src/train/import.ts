// Makes a layer of an ONNX model, or of its beginning: weights become the layer's, the rest its one option.

import type { ByteSource } from '../base/bytes';
import { isFloat } from '../base/dtype';
import { LeptonError } from '../base/errors';
import { decode, int64s, type NDArray, ndarray } from '../base/ndarray';
import { sizeOf } from '../base/shape';
import { subgraphsOf } from '../ir/captures';
import type { Dim, Graph, Value } from '../ir/graph';
import { type ImportedWeight, importedText } from '../nn/imported';
import { flowOf } from '../ops/registry';
import { dropDeadCode } from '../transform/dead-code';
import { setPrecision } from '../transform/set-precision';
import { specialise } from '../transform/specialise';

export interface ImportRequest {
  /** The value that the layer gives: an output of the model (default the first), or one from the middle. */
  readonly output?: string;
  readonly fileOf: (name: string) => ByteSource;
  readonly signal: AbortSignal;
}

export interface ImportedLayer {
  /** The layer's option `graph`. */
  readonly text: string;
  /** Of each input a sample's shape and type. */
  readonly inputs: readonly { readonly shape: readonly (number | null)[]; readonly dtype: 'float32' | 'int32' }[];
  readonly weights: readonly { readonly name: string; readonly array: NDArray }[];
}

/** Inputs that hold what a network has learnt, by operator; all of them for those that are not here. */
const learnt: Readonly<Record<string, readonly number[]>> = {
  Conv: [1, 2],
  ConvTranspose: [1, 2],
  Gemm: [1, 2],
  Gather: [0],
  BatchNormalization: [1, 2, 3, 4],
  LayerNormalization: [1, 2],
  InstanceNormalization: [1, 2],
  GroupNormalization: [1, 2],
  RMSNormalization: [1],
  PRelu: [1],
  Reshape: [0],
  Transpose: [0],
  Squeeze: [0],
  Unsqueeze: [0],
  Identity: [0],
  RNN: [1, 2, 3],
  LSTM: [1, 2, 3],
  GRU: [1, 2, 3],
  'lepton.SparseTensor': [0],
};
const ofTwo = new Set(['MatMul', 'Add', 'Sub', 'Mul', 'Div']);

/** @throws INVALID_ARGUMENT for an output that the model has not; UNSUPPORTED_MODEL for what cannot be trained at all */
export async function importLayer(model: Graph, { output, fileOf, signal }: ImportRequest): Promise<ImportedLayer> {
  const wide = setPrecision(model, 'float16', 'float32');
  const result = output ?? (wide.outputs[0] as string);
  if (!wide.values.has(result)) {
    throw new LeptonError(
      'INVALID_ARGUMENT',
      `The model has no value "${result}"; its outputs are ${wide.outputs.join(', ')}.`,
    );
  }
  const cut = dropDeadCode(anyBatch({ ...wide, outputs: [result] }));
  const inputs = cut.inputs.filter((name) => cut.nodes.some((node) => node.inputs.includes(name)));
  const flow = cut.nodes.find((node) => flowOf(node) || subgraphsOf(node).length > 0);
  if (flow) {
    throw new LeptonError(
      'UNSUPPORTED_MODEL',
      `${flow.op} node "${flow.name}" is control flow, which cannot be trained.`,
    );
  }
  const found = weightsOf(cut);
  const arrays = new Map<string, NDArray>();
  for (const { constant, dtype, dims, name } of cut.values.values()) {
    if (constant?.kind === 'inline') arrays.set(name, constant.array);
    else if (constant) {
      const { file, offset, length, dtype: stored = dtype } = constant.bytes;
      const own = decode(stored, dims as readonly number[], await fileOf(file).read(offset, length, signal));
      arrays.set(name, ndarray(dtype, own.dims, own.data));
    }
  }
  const isWeight = new Set(found.map(({ value }) => value));
  const values = new Map<string, Value>();
  for (const value of cut.values.values()) {
    const { name, dtype, dims } = value;
    const array = arrays.get(name);
    if (isWeight.has(name)) values.set(name, { name, dtype, ...(dims && { dims }) });
    else values.set(name, array ? { ...value, constant: { kind: 'inline', array } } : value);
  }
  const graph: Graph = { ...cut, values, inputs: [...inputs, ...found.map(({ value }) => value)] };
  const described = inputs.map((name) => describeInput(name, values.get(name) as Value));
  const outputShape = shapeOf(graph, described, result);
  const named = inputs.map((name, i) => ({ name, shape: described[i]?.shape ?? [] }));
  return {
    text: importedText({ graph, inputs: named, outputShape, weights: found }),
    inputs: described,
    weights: found.map(({ name, value }) => ({ name, array: arrays.get(value) as NDArray })),
  };
}

/** Float constants that only ever stand where operators have what they learn. */
function weightsOf({ nodes, values }: Graph): ImportedWeight[] {
  const names = new Set<string>();
  return [...values.values()].flatMap(({ name, dtype, dims, constant }) => {
    if (!constant || dtype !== 'float32' || sizeOf(dims as readonly number[]) < 2) return [];
    const uses = nodes.flatMap(({ op, inputs }) => inputs.flatMap((input, i) => (input === name ? [{ op, i }] : [])));
    const isLearnt = uses.every(({ op, i }) => learnt[op]?.includes(i) ?? ofTwo.has(op));
    if (!isLearnt || uses.length === 0) return [];
    const stem = name.replace(/[/:]/g, '.');
    let own = stem;
    for (let k = 1; names.has(own); k++) own = `${stem}_${k}`;
    names.add(own);
    const isStatistic = uses.some(({ op, i }) => op === 'BatchNormalization' && i > 2);
    return [{ name: own, value: name, dims: dims as readonly number[], trainable: !isStatistic }];
  });
}

/** Models are often exported for a batch of 1, which shapes repeat: those follow their input instead. */
function anyBatch(graph: Graph): Graph {
  const first = graph.values.get(graph.inputs[0] as string)?.dims?.[0];
  if (typeof first !== 'number') return graph;
  const values = new Map(graph.values);
  for (const { op, inputs } of graph.nodes) {
    const shape = values.get(inputs[1] ?? '');
    const array = shape?.constant?.kind === 'inline' ? shape.constant.array : undefined;
    const ofWeights = values.get(inputs[0] as string)?.constant !== undefined;
    if (op !== 'Reshape' || !shape || !array || ofWeights || array.data.length < 2 || array.data[0] !== first) continue;
    const open = int64s([0, ...Array.from(array.data).slice(1)]);
    values.set(shape.name, { ...shape, constant: { kind: 'inline', array: open } });
  }
  return { ...graph, values };
}

function describeInput(name: string, { dtype, dims }: Value): ImportedLayer['inputs'][number] {
  if (dims && dims.length > 0 && (isFloat(dtype) || dtype === 'int32')) {
    const size = (dim: Dim) => (typeof dim === 'number' ? dim : null);
    return { shape: dims.slice(1).map(size), dtype: dtype === 'int32' ? 'int32' : 'float32' };
  }
  throw new LeptonError(
    'UNSUPPORTED_MODEL',
    `Input "${name}" is ${dtype}${dims ? '' : ' of unknown shape'}; a layer takes float32 or int32 with the batch first.`,
  );
}

/** Of a sample of the output, tried with a batch; sizes that inputs leave open stay so. */
function shapeOf(graph: Graph, inputs: ImportedLayer['inputs'], output: string): (number | null)[] {
  const [batch, open] = [2, 64];
  const values = new Map(graph.values);
  inputs.forEach(({ shape, dtype }, i) => {
    const name = graph.inputs[i] as string;
    values.set(name, { name, dtype, dims: [batch, ...shape.map((size) => size ?? open)] });
  });
  const dims = specialise({ ...graph, values }, new Map()).values.get(output)?.dims as readonly number[] | undefined;
  if (dims?.[0] !== batch) {
    throw new LeptonError(
      'UNSUPPORTED_MODEL',
      `"${output}" has the shape [${dims?.join(', ')}] for a batch of ${batch}: a layer's output has the batch first.`,
    );
  }
  const isOpen = inputs.some(({ shape }) => shape.includes(null));
  return dims.slice(1).map((size) => (isOpen && size % open === 0 ? null : size));
}
