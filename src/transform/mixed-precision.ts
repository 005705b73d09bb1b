// Mixed precision: products and convolutions compute in float16, and so does what only passes their results on (activations,
// poolings, movements). Variables, losses, softmax, normalisations and sums stay float32: https://arxiv.org/abs/1710.03740
// In: the forward graph of a step, all of float32 with its types known. Out: the same with Casts; no value has lost its name.

import { ndarray } from '../base/ndarray';
import { numberOfDType } from '../base/onnx-dtypes';
import type { Graph, Node, Value } from '../ir/graph';

/** What gains most: tensor cores multiply halves and sum up in float32. */
const products = new Set(['MatMul', 'Gemm', 'Conv', 'ConvTranspose', 'Einsum']);

/** Element by element, on numbers of the size that came in. */
const pointwise = [
  ...['Add', 'Sub', 'Mul', 'Div', 'Sum', 'Max', 'Min', 'Neg', 'Abs', 'Clip', 'Where', 'lepton.SeededDropout'],
  ...['Relu', 'LeakyRelu', 'PRelu', 'Elu', 'Selu', 'Sigmoid', 'Tanh', 'Gelu', 'Swish', 'HardSigmoid', 'HardSwish'],
];
const poolings = ['MaxPool', 'AveragePool'];
const movements = [
  ...['Reshape', 'Flatten', 'Squeeze', 'Unsqueeze', 'Transpose', 'Identity', 'Expand', 'Tile'],
  ...['Concat', 'Split', 'Slice', 'Pad', 'Gather', 'DepthToSpace', 'SpaceToDepth'],
];
/** In float16 where all that comes in is. */
const following = new Set([...pointwise, ...poolings, ...movements]);

/** Their statistics need float32, what they give does not. */
const narrowed = new Set(['BatchNormalization']);

/** A bias, or slopes: weights that follow what they are applied to. */
const applied = new Set(['Add', 'PRelu']);
const reshaping = new Set(['Reshape', 'Squeeze', 'Unsqueeze', 'Transpose']);

const [smallest, largest] = [2 ** -14, 65504];

export interface MixOptions {
  /** How many of the nodes, from the first on, are the model: those behind them, the losses, stay as they are. */
  readonly nodes: number;
  readonly weights: ReadonlySet<string>;
}

export function mixPrecision(graph: Graph, { nodes, weights }: MixOptions): Graph {
  const mixer = new Mixer(graph, new Set(weights));
  graph.nodes.forEach((node, i) => {
    if (i < nodes) mixer.model(node);
    else mixer.wide(node);
  });
  return mixer.finish();
}

class Mixer {
  /** Conversions of weights: before all else, so that kernels which take a bias in have it by then. */
  private readonly first: Node[] = [];
  private readonly nodes: Node[] = [];
  private readonly values: Map<string, Value>;
  /** By value of float32: the same in float16. */
  private readonly halves = new Map<string, string>();
  /** Values that float16 computes, or may: others are converted for products only. */
  private readonly native = new Set<string>();
  /** Values that are there in float16 alone, so far. */
  private readonly unmade = new Set<string>();

  constructor(
    private readonly graph: Graph,
    private readonly weights: Set<string>,
  ) {
    this.values = new Map(graph.values);
  }

  model(node: Node): void {
    const { op, inputs, outputs } = node;
    const isWeight = reshaping.has(op) && this.weights.has(inputs[0] as string);
    if (isWeight) this.weights.add(outputs[0] as string);
    if (products.has(op) || this.follows(node)) {
      this.half(node);
      return;
    }
    const narrows = narrowed.has(op) && this.native.has(inputs[0] as string);
    this.wide(node);
    if (!narrows) return;
    this.halfOf(outputs[0] as string);
    this.native.add(outputs[0] as string);
  }

  /** The node as it is. */
  wide(node: Node): void {
    for (const name of node.inputs) this.make(name);
    this.nodes.push(node);
  }

  finish(): Graph {
    for (const name of this.graph.outputs) this.make(name);
    return { ...this.graph, nodes: [...this.first, ...this.nodes], values: this.values };
  }

  private follows({ op, inputs }: Node): boolean {
    if (!following.has(op) || !inputs.some((name) => this.native.has(name))) return false;
    return inputs.every((name) => {
      if (!this.isFloat(name) || this.native.has(name)) return true;
      return this.isHeld(name) || (applied.has(op) && this.weights.has(name));
    });
  }

  private half(node: Node): void {
    const inputs = node.inputs.map((name) => (this.isFloat(name) ? this.halfOf(name) : name));
    const outputs = node.outputs.map((name) => {
      if (!this.isFloat(name)) return name;
      this.native.add(name);
      this.unmade.add(name);
      return this.named(name);
    });
    this.nodes.push({ ...node, inputs, outputs });
  }

  private isFloat(name: string): boolean {
    return this.values.get(name)?.dtype === 'float32';
  }

  /** Whether it is a constant that float16 has digits for. */
  private isHeld(name: string): boolean {
    const constant = this.values.get(name)?.constant;
    const fits = (v: number) => v === 0 || (Math.abs(v) >= smallest && Math.abs(v) <= largest);
    return constant?.kind === 'inline' && constant.array.data.every(fits);
  }

  private halfOf(name: string): string {
    const known = this.halves.get(name);
    if (known !== undefined) return known;
    const half = this.named(name);
    const { constant } = this.values.get(name) as Value;
    if (constant?.kind === 'inline') {
      const array = ndarray('float16', constant.array.dims, constant.array.data);
      this.values.set(half, { ...(this.values.get(half) as Value), constant: { kind: 'inline', array } });
    } else this.cast(name, half, 'float16');
    return half;
  }

  /** A new value for the same in float16. */
  private named(name: string): string {
    let half = `${name}:float16`;
    while (this.values.has(half)) half += "'";
    const { dims } = this.values.get(name) as Value;
    this.values.set(half, { name: half, dtype: 'float16', ...(dims && { dims }) });
    this.halves.set(name, half);
    return half;
  }

  /** The value in float32, where it is not there yet. */
  private make(name: string): void {
    if (!this.unmade.delete(name)) return;
    this.cast(this.halves.get(name) as string, name, 'float32');
  }

  private cast(from: string, to: string, dtype: 'float16' | 'float32'): void {
    const attributes = { to: numberOfDType(dtype) };
    const nodes = this.graph.inputs.includes(from) && this.weights.has(from) ? this.first : this.nodes;
    nodes.push({ name: `${to}/Cast`, op: 'Cast', inputs: [from], outputs: [to], attributes });
  }
}
