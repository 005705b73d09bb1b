// Computes one float type in another throughout: float64 as float32 where the caller allows it, float16 as
// float32 on adapters without shader-f16, or float32 as float16 where the caller asks for half precision. Files
// and store keep the model's own type; weights are converted on their way to the GPU, inputs and outputs at the
// border. What float16 would spoil (factors that sizes come from, thresholds, bits) stays float32.

import type { DType } from '../base/dtype';
import { LeptonError } from '../base/errors';
import { ndarray } from '../base/ndarray';
import { numberOfDType } from '../base/onnx-dtypes';
import { valuesNeeded } from '../ir/captures';
import type { Attributes, AttributeValue, Constant, Graph, Node, Value } from '../ir/graph';

type Float = 'float64' | 'float32' | 'float16';
type Lookup = (name: string) => Value | undefined;

/** Attributes that name an element type by ONNX's number. */
const typeAttributes = new Set(['to', 'dtype', 'output_dtype', 'output_datatype', 'stash_type']);

/** Operators whose result is float32 where an attribute does not say otherwise, and the attribute. */
const float32Unless: Readonly<Record<string, string>> = {
  ConstantOfShape: 'value',
  RandomNormal: 'dtype',
  RandomUniform: 'dtype',
  HannWindow: 'output_datatype',
  HammingWindow: 'output_datatype',
  BlackmanWindow: 'output_datatype',
  MelWeightMatrix: 'output_datatype',
  LayerNormalization: 'stash_type',
};

/** Operators that stay float32 when the rest becomes float16: in all they touch, or in some inputs. */
const staysFloat32: Readonly<Record<string, 'all' | readonly number[]>> = {
  BitCast: 'all',
  DynamicQuantizeLinear: 'all',
  NonMaxSuppression: 'all',
  GridSample: [1],
  MaxRoiPool: [1],
  Resize: [1, 2],
  RoiAlign: [1],
  TfIdfVectorizer: 'all',
  'com.microsoft.DynamicQuantizeMatMul': 'all',
};

function keptOf(op: string): 'all' | readonly number[] | undefined {
  return op.startsWith('ai.onnx.ml.') ? 'all' : staysFloat32[op];
}

/** @throws UNSUPPORTED_MODEL where the model reads the bits of a type that is to become a wider or narrower one */
export function setPrecision(graph: Graph, from: Float, to: Float): Graph {
  return new Converter(from, to).graph(graph, () => undefined);
}

/** @throws UNSUPPORTED_MODEL naming the first float64 tensor that the graph's nodes touch */
export function refuseFloat64(graph: Graph): Graph {
  const touched = [...graph.inputs, ...graph.nodes.flatMap((n) => [...n.inputs, ...n.outputs]), ...graph.outputs];
  const found = touched.find((name) => graph.values.get(name)?.dtype === 'float64');
  if (found === undefined) return graph;
  throw new LeptonError(
    'UNSUPPORTED_MODEL',
    `Tensor "${found}" is float64, which no GPU computes in. Load the model with { allowPrecisionLoss: true } to compute it in float32, or with { backend: "cpu" }.`,
    { details: { tensor: found } },
  );
}

class Converter {
  constructor(
    private readonly from: Float,
    private readonly to: Float,
  ) {}

  /** @param outer the values around a subgraph */
  graph(graph: Graph, outer: Lookup): Graph {
    const lookup: Lookup = (name) => graph.values.get(name) ?? outer(name);
    const values = new Map<string, Value>();
    const wide = this.inputsKept(graph);
    for (const value of graph.values.values()) {
      values.set(value.name, wide.has(value.name) ? value : this.value(value));
    }
    const nodes = graph.nodes.flatMap((node) => {
      const converted = { ...node, attributes: this.attributes(node, lookup) };
      const kept = this.from === 'float32' ? keptOf(node.op) : undefined;
      if (kept) return this.keep(converted, kept, lookup, values, wide);
      return [node.op === 'BitCast' ? this.bitCast(converted, lookup) : converted];
    });
    return { ...graph, nodes, values };
  }

  /** Inputs that only what stays float32 reads: what is fed as Resize's scales is not rounded on its way there. */
  private inputsKept({ inputs, nodes, outputs }: Graph): ReadonlySet<string> {
    if (this.from !== 'float32') return new Set();
    const others = new Set(outputs);
    for (const node of nodes) {
      const kept = keptOf(node.op);
      const own = kept === 'all' ? node.inputs : node.inputs.filter((_, i) => kept?.includes(i));
      for (const name of valuesNeeded(node)) if (!own.includes(name)) others.add(name);
      node.inputs.forEach((name, i) => {
        if (kept !== 'all' && !kept?.includes(i)) others.add(name);
      });
    }
    return new Set(inputs.filter((name) => !others.has(name)));
  }

  private value(value: Value): Value {
    if (value.dtype !== this.from) return value;
    const { constant } = value;
    return { ...value, dtype: this.to, ...(constant && { constant: this.constant(constant) }) };
  }

  private constant(constant: Constant): Constant {
    if (constant.kind === 'inline') {
      return { kind: 'inline', array: ndarray(this.to, constant.array.dims, constant.array.data) };
    }
    return { kind: 'stored', bytes: { ...constant.bytes, dtype: constant.bytes.dtype ?? this.from } };
  }

  private attributes(node: Node, lookup: Lookup): Attributes {
    const converted = Object.entries(node.attributes).map(([name, value]) => [
      name,
      node.op === 'BitCast' ? value : this.attribute(name, value, lookup),
    ]);
    const own = float32Unless[node.op];
    if (own && this.from === 'float32' && node.attributes[own] === undefined) {
      converted.push([own, own === 'value' ? this.zero() : numberOfDType(this.to)]);
    }
    return Object.fromEntries(converted);
  }

  private attribute(name: string, value: AttributeValue, lookup: Lookup): AttributeValue {
    if (typeof value !== 'object') {
      return typeAttributes.has(name) && value === numberOfDType(this.from) ? numberOfDType(this.to) : value;
    }
    if ('graph' in value) return { graph: this.graph(value.graph, lookup) };
    if ('tensor' in value && value.tensor.dtype === this.from) {
      return { tensor: { ...value.tensor, dtype: this.to, constant: this.constant(value.tensor.constant) } };
    }
    return value;
  }

  private zero(): AttributeValue {
    const array = ndarray(this.to, [1]);
    return { tensor: { dtype: this.to, dims: [1], constant: { kind: 'inline', array } } };
  }

  /** A widened value still has the bits of its own type; a narrowed one has lost them. */
  private bitCast(node: Node, lookup: Lookup): Node {
    const [x, y] = [lookup(node.inputs[0] ?? ''), lookup(node.outputs[0] ?? '')];
    if (!x || !y || (x.dtype !== this.from && y.dtype !== this.from)) return node;
    if (this.from === 'float64') {
      throw new LeptonError(
        'UNSUPPORTED_MODEL',
        `BitCast node "${node.name}" needs the bits of float64 elements, which the GPU computes as ${this.to}. Export the model without it.`,
        { details: { node: node.name } },
      );
    }
    const held = y.dtype === this.from ? this.to : y.dtype;
    const attributes = { from: numberOfDType(x.dtype), to: numberOfDType(y.dtype), held: numberOfDType(held) };
    return { ...node, op: 'lepton.BitCast', attributes };
  }

  /** The node in its own type, with conversions around it. Constants come to it as they are in the file. */
  private keep(
    node: Node,
    kept: 'all' | readonly number[],
    lookup: Lookup,
    values: Map<string, Value>,
    wide: ReadonlySet<string>,
  ): Node[] {
    const conversions: { before: Node[]; after: Node[] } = { before: [], after: [] };
    const own = (name: string): string => {
      let fresh = `${name}:${this.from}`;
      while (lookup(fresh) || values.has(fresh)) fresh += "'";
      return fresh;
    };
    const cast = (input: string, output: string, dtype: DType): Node => ({
      name: `${node.name}/Cast ${output}`,
      op: 'Cast',
      inputs: [input],
      outputs: [output],
      attributes: { to: numberOfDType(dtype) },
    });
    const inputs = node.inputs.map((name, i) => {
      const value = lookup(name);
      if (value?.dtype !== this.from || wide.has(name) || (kept !== 'all' && !kept.includes(i))) return name;
      const fresh = own(name);
      values.set(fresh, { ...value, name: fresh });
      if (!value.constant) conversions.before.push(cast(name, fresh, this.from));
      return fresh;
    });
    const outputs = node.outputs.map((name) => {
      const value = lookup(name);
      if (value?.dtype !== this.from || kept !== 'all') return name;
      const fresh = own(name);
      values.set(fresh, { ...value, name: fresh });
      conversions.after.push(cast(fresh, name, this.to));
      return fresh;
    });
    return [...conversions.before, { ...node, inputs, outputs }, ...conversions.after];
  }
}
