// An ONNX model as a layer's option: its graph as text, without the weights, which are the layer's own. Small constants
// that are no weights (shapes, axes, bounds) stay in the text.

import type { DType } from '../base/dtype';
import { type NDArray, ndarray } from '../base/ndarray';
import type { AttributeValue, Graph, Node, Value } from '../ir/graph';

export interface ImportedWeight {
  /** Of the layer's weight. */
  readonly name: string;
  /** Of the graph's value. */
  readonly value: string;
  readonly dims: readonly number[];
  /** False for what is no parameter: statistics of a normalisation. */
  readonly trainable: boolean;
}

export interface Imported {
  readonly graph: Graph;
  /** In the order of the graph's inputs: sizes without the batch, null where they are open. */
  readonly inputs: readonly { readonly name: string; readonly shape: readonly (number | null)[] }[];
  readonly outputShape: readonly (number | null)[];
  readonly weights: readonly ImportedWeight[];
}

/** JSON has no infinities. */
type Number = number | 'Infinity' | '-Infinity' | 'NaN';
interface ArrayText {
  readonly dtype: DType;
  readonly dims: readonly number[];
  readonly data: readonly Number[];
}
type AttributeText = number | string | readonly (number | string)[] | { readonly tensor: ArrayText };

interface ImportedText extends Omit<Imported, 'graph'> {
  readonly name: string;
  readonly nodes: readonly (Omit<Node, 'attributes' | 'program'> & {
    readonly attributes: Readonly<Record<string, AttributeText>>;
  })[];
  readonly constants: readonly (ArrayText & { readonly name: string })[];
  readonly types: readonly { readonly name: string; readonly dtype: DType }[];
  readonly outputs: readonly string[];
}

/** @param imported its constants are inline, its attributes plain, tensors, or lists */
export function importedText({ graph, ...rest }: Imported): string {
  const values = [...graph.values.values()];
  const text: ImportedText = {
    ...rest,
    name: graph.name,
    nodes: graph.nodes.map(({ name, op, inputs, outputs, attributes }) => ({
      ...{ name, op, inputs, outputs },
      attributes: Object.fromEntries(Object.entries(attributes).map(([key, value]) => [key, attributeText(value)])),
    })),
    constants: values.flatMap(({ name, constant }) =>
      constant?.kind === 'inline' ? [{ name, ...arrayText(constant.array) }] : [],
    ),
    types: graph.inputs.map((name) => ({ name, dtype: graph.values.get(name)?.dtype ?? 'float32' })),
    outputs: graph.outputs,
  };
  return JSON.stringify(text);
}

export function importedOf(text: string): Imported {
  const { name, nodes, constants, types, outputs, ...rest } = JSON.parse(text) as ImportedText;
  const values = new Map<string, Value>();
  for (const { name, dtype } of types) values.set(name, { name, dtype });
  for (const { name, ...array } of constants) {
    const { dtype, dims } = array;
    values.set(name, { name, dtype, dims, constant: { kind: 'inline', array: arrayOf(array) } });
  }
  const graph: Graph = {
    name,
    nodes: nodes.map((node) => ({
      ...node,
      attributes: Object.fromEntries(Object.entries(node.attributes).map(([key, value]) => [key, attributeOf(value)])),
    })),
    values,
    inputs: types.map((type) => type.name),
    outputs,
  };
  return { graph, ...rest };
}

function arrayText({ dtype, dims, data }: NDArray): ArrayText {
  return { dtype, dims, data: Array.from(data, (x) => (Number.isFinite(x) ? x : (String(x) as Number))) };
}

function arrayOf({ dtype, dims, data }: ArrayText): NDArray {
  return ndarray(dtype, dims, data.map(Number));
}

function attributeText(value: AttributeValue): AttributeText {
  if (typeof value !== 'object' || !('tensor' in value)) return value as AttributeText;
  const { constant } = value.tensor;
  if (constant.kind !== 'inline') throw new Error('An attribute refers to a file.');
  return { tensor: arrayText(constant.array) };
}

function attributeOf(value: AttributeText): AttributeValue {
  if (typeof value !== 'object' || !('tensor' in value)) return value as AttributeValue;
  const array = arrayOf(value.tensor);
  return { tensor: { dtype: array.dtype, dims: array.dims, constant: { kind: 'inline', array } } };
}
