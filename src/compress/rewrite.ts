// A graph with some of its weights kept in another form. Weights that are only stored as integers are dequantised in front
// of the nodes that use them; products of matrices may become operators that take the integers themselves. Everything is
// standard ONNX (and com.microsoft.MatMulNBits), and values between layers keep their names.

import { type NDArray, ndarray } from '../base/ndarray';
import { numberOfDType } from '../base/onnx-dtypes';
import { namesIn } from '../ir/captures';
import type { Attributes, Graph, Node, Value } from '../ir/graph';
import { inline } from '../transform/specialise';
import type { Layer } from './layers';
import type { Int4Weights, Int8Weights } from './quantize';

/** What a layer's weights become. */
export type Encoding =
  | { readonly kind: 'float'; readonly weights: Float32Array }
  | { readonly kind: 'int8'; readonly int8: Int8Weights; readonly dynamic: boolean }
  | { readonly kind: 'int4'; readonly int4: Int4Weights; readonly blockSize: number; readonly symmetric: boolean };

export interface Rewritten {
  readonly graph: Graph;
  /** By weight, what has taken its place. */
  readonly kept: ReadonlyMap<string, Kept>;
}

export interface Kept {
  /** The weights' form, but for whether they are sparse: 'int8', 'int8, dynamic', 'int4 in blocks of 32' … */
  readonly form: string;
  /** The weights, then scales, zero points and such. */
  readonly constants: readonly NDArray[];
}

export function rewriteLayers(graph: Graph, encodings: ReadonlyMap<Layer, Encoding>): Rewritten {
  const rewriter = new Rewriter(graph);
  for (const [layer, encoding] of encodings) rewriter.encode(layer, encoding);
  return rewriter.finish();
}

class Rewriter {
  private readonly values: Map<string, Value>;
  private readonly taken: Set<string>;
  /** Nodes that depend on constants alone, in front of all others. */
  private readonly first: Node[] = [];
  private readonly replaced = new Map<Node, Node[]>();
  private readonly kept = new Map<string, Kept>();
  /** Nodes that quantise inputs, by the value that they quantise: they stand in front of the first who needs them. */
  private readonly quantising = new Map<string, Node>();
  private own: NDArray[] = [];

  constructor(private readonly graph: Graph) {
    this.values = new Map(graph.values);
    this.taken = namesIn(graph);
  }

  encode(layer: Layer, encoding: Encoding): void {
    this.own = [];
    const form = this.formed(layer, encoding);
    this.kept.set(layer.weight, { form, constants: this.own });
  }

  private formed(layer: Layer, encoding: Encoding): string {
    const { weight, dtype, dims } = layer;
    const byInteger = layer.nodes.every((node) => isPlainProduct(node, weight));
    if (encoding.kind === 'float') {
      const array = ndarray(dtype, dims, encoding.weights);
      this.own.push(array);
      this.values.set(weight, inline(weight, array));
      return dtype;
    }
    if (encoding.kind === 'int4') {
      if (byInteger) this.nbits(layer, encoding);
      else this.blocked(layer, encoding);
      return `int4 in blocks of ${encoding.blockSize}${encoding.symmetric ? '' : ' with zero points'}`;
    }
    if (encoding.dynamic && byInteger && dtype === 'float32') {
      this.dynamicInt8(layer, encoding.int8);
      return 'int8, dynamic';
    }
    const codes = this.constant(`${weight}_quantized`, ndarray('int8', dims, encoding.int8.codes));
    const scales = this.constant(`${weight}_scale`, ndarray(dtype, [layer.view.rows], encoding.int8.scales));
    this.instead(layer, this.dequantised(weight, [codes, scales], { axis: layer.outputAxis }));
    return 'int8';
  }

  finish(): Rewritten {
    const pending = new Set(this.quantising.values());
    const nodes = [...this.first];
    for (const node of this.graph.nodes.flatMap((n) => this.replaced.get(n) ?? [n])) {
      for (const quantising of pending) {
        if (!node.inputs.some((name) => quantising.outputs.includes(name))) continue;
        pending.delete(quantising);
        nodes.push(quantising);
      }
      nodes.push(node);
    }
    const values = new Map(this.values);
    const read = new Set([...nodes.flatMap((n) => n.inputs), ...this.graph.outputs]);
    for (const weight of this.kept.keys()) if (!read.has(weight)) values.delete(weight);
    return { graph: { ...this.graph, nodes, values }, kept: this.kept };
  }

  /** DynamicQuantizeLinear → MatMulInteger → Cast → Mul by both scales. */
  private dynamicInt8(layer: Layer, { codes, scales }: Int8Weights): void {
    const { rows, columns, rowStride, columnStride } = layer.view;
    const turned = ndarray('int8', [columns, rows]);
    for (let c = 0; c < columns; c++) {
      for (let r = 0; r < rows; r++) turned.data[c * rows + r] = codes[r * rowStride + c * columnStride] as number;
    }
    const weights = this.constant(`${layer.weight}_quantized`, turned);
    const scale = this.constant(`${layer.weight}_scale`, ndarray('float32', [rows], scales));
    for (const node of layer.nodes) {
      const [x] = node.inputs as [string];
      const parts: Node[] = [];
      const [bytes, bytesScale, zero] = this.quantisedInput(x);
      const [sums] = this.add(parts, `${node.name}/sums`, 'MatMulInteger', [bytes, weights, zero], ['int32']);
      const to = { to: numberOfDType('float32') };
      const [wide] = this.add(parts, `${node.name}/float`, 'Cast', [sums as string], ['float32'], to);
      const [factor] = this.add(parts, `${node.name}/scale`, 'Mul', [bytesScale, scale], ['float32']);
      this.close(node, parts, 'Mul', [wide as string, factor as string]);
    }
  }

  /** A value as bytes, with their scale and zero point. */
  private quantisedInput(x: string): [string, string, string] {
    let node = this.quantising.get(x);
    if (!node) {
      const made: Node[] = [];
      this.add(made, `${x}/quantized`, 'DynamicQuantizeLinear', [x], ['uint8', 'float32', 'uint8']);
      node = made[0] as Node;
      this.quantising.set(x, node);
    }
    return node.outputs as [string, string, string];
  }

  private nbits(layer: Layer, { int4, blockSize, symmetric }: Extract<Encoding, { kind: 'int4' }>): void {
    const { rows, columns } = layer.view;
    const { blocks, codes, scales, zeros } = int4;
    const packed = ndarray('uint8', [rows, blocks, blockSize / 2]);
    // What a block lacks at the end counts for nothing: it is multiplied by no input.
    for (let r = 0; r < rows; r++) {
      for (let c = 0; c < columns; c += 2) {
        const high = c + 1 < columns ? (codes[r * columns + c + 1] as number) : 0;
        packed.data[(r * blocks * blockSize) / 2 + c / 2] = (codes[r * columns + c] as number) | (high << 4);
      }
    }
    const inputs = [
      this.constant(`${layer.weight}_quantized`, packed),
      this.constant(`${layer.weight}_scale`, ndarray(layer.dtype, [rows * blocks], scales)),
    ];
    if (!symmetric) {
      const bytes = Math.ceil(blocks / 2);
      const points = ndarray('uint8', [rows * bytes]);
      for (let r = 0; r < rows; r++) {
        for (let b = 0; b < blocks; b++) {
          const at = r * bytes + (b >> 1);
          points.data[at] = (points.data[at] as number) | ((zeros[r * blocks + b] as number) << (4 * (b & 1)));
        }
      }
      inputs.push(this.constant(`${layer.weight}_zero_point`, points));
    }
    const attributes = { K: columns, N: rows, bits: 4, block_size: blockSize };
    for (const node of layer.nodes) {
      const [x] = node.inputs as [string];
      this.close(node, [], 'com.microsoft.MatMulNBits', [x, ...inputs], attributes);
    }
  }

  /** DequantizeLinear in blocks; the weights of a convolution are a matrix until then. */
  private blocked(layer: Layer, { int4, blockSize, symmetric }: Extract<Encoding, { kind: 'int4' }>): void {
    const { weight, dims, dtype, outputAxis } = layer;
    const { rows, columns } = layer.view;
    const { blocks, codes, scales, zeros } = int4;
    const turn = outputAxis === 1;
    const ordered = (of: ArrayLike<number>, across: number) =>
      turn ? Array.from({ length: of.length }, (_, i) => of[(i % rows) * across + Math.floor(i / rows)] as number) : of;
    const shaped = (across: number) => (turn ? [across, rows] : [rows, across]);
    const integers = symmetric ? 'int4' : 'uint4';
    const shift = symmetric ? 8 : 0;
    const numbers = Int8Array.from(ordered(codes, columns), (code) => code - shift);
    const inputs = [
      this.constant(`${weight}_quantized`, ndarray(integers, shaped(columns), numbers)),
      this.constant(`${weight}_scale`, ndarray(dtype, shaped(blocks), ordered(scales, blocks))),
    ];
    if (!symmetric) {
      inputs.push(this.constant(`${weight}_zero_point`, ndarray(integers, shaped(blocks), ordered(zeros, blocks))));
    }
    const matrix = this.dequantised(weight, inputs, { axis: turn ? 0 : 1, block_size: blockSize });
    this.instead(layer, dims.length === 2 ? matrix : this.reshaped(matrix, layer));
  }

  private reshaped(matrix: string, { weight, dims, dtype }: Layer): string {
    const shape = this.constant(`${weight}_shape`, ndarray('int64', [dims.length], dims));
    return this.add(this.first, `${weight}/Reshape`, 'Reshape', [matrix, shape], [dtype])[0] as string;
  }

  private dequantised(weight: string, inputs: readonly string[], attributes: Attributes): string {
    const { dtype } = this.values.get(weight) as Value;
    const [name] = this.add(this.first, `${weight}/DequantizeLinear`, 'DequantizeLinear', inputs, [dtype], attributes);
    return name as string;
  }

  /** The layer's nodes read `name` in place of the weights. */
  private instead({ nodes, weight }: Layer, name: string): void {
    for (const node of nodes) {
      const [now = node] = this.replaced.get(node) ?? [];
      const inputs = now.inputs.map((input) => (input === weight ? name : input));
      this.replaced.set(node, [{ ...now, inputs }]);
    }
  }

  /** Ends what takes the place of `node` by an operator that gives its result, but for the bias of a Gemm. */
  private close(node: Node, parts: Node[], op: string, inputs: readonly string[], attributes: Attributes = {}): void {
    const [output] = node.outputs as [string];
    const bias = node.op === 'Gemm' ? (node.inputs[2] ?? '') : '';
    if (bias === '') {
      this.replaced.set(node, [...parts, { name: node.name, op, inputs, outputs: [output], attributes }]);
      return;
    }
    const { dtype } = this.graph.values.get(output) as Value;
    const [product] = this.add(parts, `${node.name}/product`, op, inputs, [dtype], attributes);
    const sum: Node = {
      name: node.name,
      op: 'Add',
      inputs: [product as string, bias],
      outputs: [output],
      attributes: {},
    };
    this.replaced.set(node, [...parts, sum]);
  }

  private constant(name: string, array: NDArray): string {
    const fresh = this.fresh(name);
    this.values.set(fresh, inline(fresh, array));
    this.own.push(array);
    return fresh;
  }

  private add(
    to: Node[],
    name: string,
    op: string,
    inputs: readonly string[],
    types: readonly Value['dtype'][],
    attributes: Attributes = {},
  ): string[] {
    const outputs = types.map((dtype, i) => {
      const output = this.fresh(i === 0 ? name : `${name}_${i}`);
      this.values.set(output, { name: output, dtype });
      return output;
    });
    to.push({ name: outputs[0] as string, op, inputs, outputs, attributes });
    return outputs;
  }

  private fresh(stem: string): string {
    let name = stem;
    for (let i = 1; this.taken.has(name); i++) name = `${stem}_${i}`;
    this.taken.add(name);
    return name;
  }
}

/** x · W with nothing else to it: what operators on integers can stand in for. */
function isPlainProduct(node: Node, weight: string): boolean {
  if (node.inputs[1] !== weight) return false;
  if (node.op === 'MatMul') return true;
  const { alpha = 1, beta = 1, transA = 0 } = node.attributes;
  return node.op === 'Gemm' && alpha === 1 && beta === 1 && transA === 0;
}
