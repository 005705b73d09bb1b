// Runs a converted graph with TF.js: weights on the GPU once, then operator by operator, as its own graph
// models do. What is made of constants alone, such as filters in TF.js's order, is made in the first run.

import * as tf from '@tensorflow/tfjs-core';
import type { TfOperator } from './call';
import type { TfConstant, TfGraph, TfNode } from './graph';
import { operators } from './operators';
import { inOnnxOrder, plain, type TfValue } from './values';

/** Constants of at most so many elements may say what to do, such as a shape. */
const largestKnown = 64;

interface Step {
  readonly node: TfNode;
  readonly operator: TfOperator;
  readonly known: readonly (readonly number[] | undefined)[];
  prepared(what: string, make: () => tf.Tensor): tf.Tensor;
}

export class Interpreter {
  private readonly constants = new Map<string, tf.Tensor>();
  private readonly prepared = new Map<string, tf.Tensor>();
  private readonly steps: readonly Step[];

  constructor(
    private readonly graph: TfGraph,
    weights: ArrayBuffer,
  ) {
    const known = new Map<string, readonly number[]>();
    for (const constant of graph.constants) {
      const elements = elementsOf(constant, weights);
      if (elements.length <= largestKnown) known.set(constant.name, Array.from(elements));
      this.constants.set(constant.name, tf.tensor(elements, [...constant.dims], constant.dtype));
    }
    this.steps = graph.nodes.map((node, index) => {
      const operator = operators[node.op];
      if (!operator) throw new Error(`no ${node.op} in the TF.js page`);
      const prepared: Step['prepared'] = (what, make) => this.keep(`${index} ${what}`, make);
      return { node, operator, known: node.inputs.map((name) => known.get(name)), prepared };
    });
  }

  /** The outputs by name, which the caller disposes of; `inputs` stay the caller's. */
  run(inputs: Readonly<Record<string, tf.Tensor>>): Record<string, tf.Tensor> {
    return tf.tidy(() => {
      const values = new Map<string, TfValue>();
      for (const [name, tensor] of [...this.constants, ...Object.entries(inputs)]) values.set(name, plain(tensor));
      for (const { node, operator, known, prepared } of this.steps) {
        const results = operator({
          inputs: node.inputs.map((name) => (name === '' ? undefined : values.get(name))),
          outputs: node.outputs.length,
          known,
          attributes: node.attributes,
          prepared,
          ...(node.activation && { activation: node.activation }),
        });
        node.outputs.forEach((name, i) => {
          if (name !== '') values.set(name, results[i] as TfValue);
        });
      }
      return Object.fromEntries(this.graph.outputs.map((name) => [name, inOnnxOrder(values.get(name) as TfValue)]));
    });
  }

  dispose(): void {
    for (const tensor of [...this.constants.values(), ...this.prepared.values()]) tensor.dispose();
  }

  private keep(key: string, make: () => tf.Tensor): tf.Tensor {
    const found = this.prepared.get(key);
    if (found) return found;
    const made = tf.keep(make());
    this.prepared.set(key, made);
    return made;
  }
}

function elementsOf({ dtype, offset, length }: TfConstant, weights: ArrayBuffer): Float32Array | Int32Array {
  return dtype === 'int32'
    ? new Int32Array(weights, offset, length / 4)
    : new Float32Array(weights, offset, length / 4);
}
