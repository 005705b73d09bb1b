// Writes the benchmark's networks as ONNX, layer by layer, with weights drawn from a seed: the speed of a
// network does not hang on what it has learnt, but on its shapes.

import { ndarray } from '../../../src/base/ndarray';
import { sizeOf } from '../../../src/base/shape';
import {
  type AttributeSpec,
  makeModel,
  type NodeSpec,
  type TensorSpec,
  type ValueSpec,
} from '../../support/onnx-writer';
import { mulberry32 } from '../../support/random';

export class Network {
  private readonly nodes: NodeSpec[] = [];
  private readonly initializers: TensorSpec[] = [];
  private readonly random: () => number;
  private readonly dtype: 'float32' | 'float16';

  constructor(options: { seed?: number; dtype?: 'float32' | 'float16' } = {}) {
    this.random = mulberry32(options.seed ?? 1);
    this.dtype = options.dtype ?? 'float32';
  }

  /** Adds a node; answers its one output's name. */
  op(op: string, inputs: readonly string[], attributes: Readonly<Record<string, AttributeSpec>> = {}): string {
    const output = `${op}_${this.nodes.length}`;
    this.nodes.push({ op, inputs, outputs: [output], attributes, name: output });
    return output;
  }

  /** The same, with a name for the output: for what the model answers. */
  named(output: string, op: string, inputs: readonly string[], attributes?: Readonly<Record<string, AttributeSpec>>) {
    this.nodes.push({ op, inputs, outputs: [output], name: output, ...(attributes && { attributes }) });
    return output;
  }

  /** Several outputs; '' leaves one out. */
  multiple(
    op: string,
    inputs: readonly string[],
    outputs: readonly string[],
    attributes: Record<string, AttributeSpec>,
  ) {
    this.nodes.push({ op, inputs, outputs, attributes, name: `${op}_${this.nodes.length}` });
  }

  /** Weights that keep the scale of what passes them: uniform, with variance 1 / `fan`. */
  weight(dims: readonly number[], fan: number): string {
    const bound = Math.sqrt(3 / fan);
    return this.drawn(dims, -bound, bound);
  }

  drawn(dims: readonly number[], low: number, high: number): string {
    const data = Float32Array.from({ length: sizeOf(dims) }, () => low + (high - low) * this.random());
    return this.constant(this.dtype, dims, data);
  }

  constant(dtype: TensorSpec['dtype'], dims: readonly number[], data: ArrayLike<number>): string {
    const name = `w${this.initializers.length}`;
    this.initializers.push({ name, dtype, dims, data });
    return name;
  }

  ints(values: readonly number[]): string {
    return this.constant('int64', [values.length], values);
  }

  build(inputs: readonly ValueSpec[], outputs: readonly ValueSpec[], opset = 17): Uint8Array<ArrayBuffer> {
    const { nodes, initializers } = this;
    return makeModel({ nodes, initializers, inputs, outputs, opset, producer: 'lepton-bench' });
  }
}

/** What is fed: uniform in [-1, 1), the same each time. */
export function drawnInput(dims: readonly number[], dtype: 'float32' | 'float16' = 'float32', seed = 7) {
  const random = mulberry32(seed);
  return ndarray(
    dtype,
    dims,
    Float32Array.from({ length: sizeOf(dims) }, () => 2 * random() - 1),
  );
}
