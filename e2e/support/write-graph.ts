// A Graph as an ONNX model again, so that ONNX Runtime can say what the graph means. Operators of Lepton's
// own and fused programs have no ONNX form: the graph must be free of them.

import type { DType } from '../../src/base/dtype';
import { encode } from '../../src/base/ndarray';
import type { AttributeValue, Constant, Graph, Node } from '../../src/ir/graph';
import { type AttributeSpec, type GraphSpec, makeModel, type NodeSpec, type TensorSpec } from './onnx-writer';

/** The newest opset that the oracle knows to run. */
export const oracleOpset = 21;

/** @param file the bytes that stored constants refer to */
export function writeGraph(graph: Graph, file: Uint8Array, opset = oracleOpset): Uint8Array<ArrayBuffer> {
  return makeModel({ ...graphSpec(graph, file), opset, irVersion: 10 });
}

/** @param outer names that a subgraph sees and so does not hold itself */
function graphSpec(graph: Graph, file: Uint8Array, outer: ReadonlySet<string> = new Set()): GraphSpec {
  const visible = new Set([...outer, ...graph.values.keys()]);
  const constants = [...graph.values.values()].flatMap((value) => {
    if (!value.constant || outer.has(value.name)) return [];
    return [tensorSpec(value.name, value.dtype, value.dims as readonly number[], value.constant, file)];
  });
  const declared = (name: string) => {
    const { dtype, dims } = graph.values.get(name) ?? { dtype: 'float32', dims: undefined };
    return dims ? { name, dtype, shape: dims } : { name, dtype };
  };
  return {
    name: graph.name,
    nodes: graph.nodes.map((node) => nodeSpec(node, file, visible)),
    inputs: graph.inputs.map(declared),
    outputs: graph.outputs.map(declared),
    initializers: constants,
  };
}

function nodeSpec(
  { name, op, inputs, outputs, attributes }: Node,
  file: Uint8Array,
  visible: ReadonlySet<string>,
): NodeSpec {
  const dot = op.lastIndexOf('.');
  const specs = Object.entries(attributes).map(([key, value]): [string, AttributeSpec] => [
    key,
    attribute(key, value, file, visible),
  ]);
  const spec = { name, op: op.slice(dot + 1), inputs, outputs, attributes: Object.fromEntries(specs) };
  return dot < 0 ? spec : { ...spec, domain: op.slice(0, dot) };
}

/** A Graph does not tell 1 from 1.0; ONNX Runtime insists. */
const floatAttributes = new Set(
  (
    'activation_alpha activation_beta activation_gamma activation_params alpha beta bias clip cubic_coeff_a epsilon ' +
    'extrapolation_value gamma high lambd low mean momentum sample_size scale softcap spatial_scale theta'
  ).split(' '),
);

function attribute(key: string, value: AttributeValue, file: Uint8Array, visible: ReadonlySet<string>): AttributeSpec {
  if (typeof value === 'number') return floatAttributes.has(key) ? { float: value } : { int: value };
  if (typeof value === 'string') return { string: value };
  if ('graph' in value) return { graph: graphSpec(value.graph, file, visible) };
  if ('tensor' in value)
    return { tensor: tensorSpec('', value.tensor.dtype, value.tensor.dims, value.tensor.constant, file) };
  if (value.every((v) => typeof v === 'string')) return { strings: value as readonly string[] };
  const numbers = value as readonly number[];
  return floatAttributes.has(key) ? { floats: numbers } : { ints: numbers };
}

function tensorSpec(
  name: string,
  dtype: DType,
  dims: readonly number[],
  constant: Constant,
  file: Uint8Array,
): TensorSpec {
  if (constant.kind === 'inline') return { name, dtype, dims, bytes: encode(constant.array) };
  const { offset, length } = constant.bytes;
  return { name, dtype, dims, bytes: file.subarray(offset, offset + length) };
}
