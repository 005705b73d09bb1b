// Computes one float type in another throughout: float16 as float32 on adapters without shader-f16, or
// float32 as float16 where the caller asks for half precision. Files and store keep the model's own type;
// weights are converted on their way to the GPU, inputs and outputs at the border.

import { ndarray } from '../base/ndarray';
import { numberOfDType } from '../base/onnx-dtypes';
import type { AttributeValue, Constant, Graph, Value } from '../ir/graph';

type Float = 'float32' | 'float16';

export function setPrecision(graph: Graph, from: Float, to: Float): Graph {
  const convert = (constant: Constant): Constant =>
    constant.kind === 'stored'
      ? { kind: 'stored', bytes: { ...constant.bytes, dtype: from } }
      : { kind: 'inline', array: ndarray(to, constant.array.dims, constant.array.data) };
  const convertAttribute = (op: string, name: string, value: AttributeValue): AttributeValue => {
    if (op === 'Cast' && name === 'to' && value === numberOfDType(from)) return numberOfDType(to);
    if (typeof value === 'object' && 'tensor' in value && value.tensor.dtype === from) {
      return { tensor: { ...value.tensor, dtype: to, constant: convert(value.tensor.constant) } };
    }
    return value;
  };
  const values = new Map<string, Value>();
  for (const value of graph.values.values()) {
    const converted = value.dtype === from ? { ...value, dtype: to } : value;
    const { constant } = converted;
    values.set(
      value.name,
      constant && value.dtype === from ? { ...converted, constant: convert(constant) } : converted,
    );
  }
  const nodes = graph.nodes.map((node) => ({
    ...node,
    attributes: Object.fromEntries(
      Object.entries(node.attributes).map(([name, value]) => [name, convertAttribute(node.op, name, value)]),
    ),
  }));
  return { ...graph, nodes, values };
}
