// Runs a converted graph with TF.js: weights on the GPU once, then operator by operator, as its own graph
// models do. What is made of constants alone, such as filters in TF.js's order, is made in the first run.

import * as tf from '@tensorflow/tfjs-core';
import type { TfOperator } from './call';
import type { TfConstant, TfGraph, TfNode } from './graph';
import { operators } from './operators';
import { plain, type TfValue } from './values';

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
  private readonly stepsTo = new Map<string, readonly Step[]>();

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

  /** The wanted outputs by name, in the order of axes that they come in. To be called within `tf.tidy`. */
  run(inputs: Readonly<Record<string, TfValue>>, wanted = this.graph.outputs): Record<string, TfValue> {
    const values = new Map<string, TfValue>(Object.entries(inputs));
    for (const [name, tensor] of this.constants) values.set(name, plain(tensor));
    for (const { node, operator, known, prepared } of this.stepsFor(wanted)) {
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
    return Object.fromEntries(wanted.map((name) => [name, values.get(name) as TfValue]));
  }

  dispose(): void {
    for (const tensor of [...this.constants.values(), ...this.prepared.values()]) tensor.dispose();
  }

  /** Those that the wanted outputs hang on. */
  private stepsFor(wanted: readonly string[]): readonly Step[] {
    const known = this.stepsTo.get(wanted.join());
    if (known) return known;
    const needed = new Set(wanted);
    const steps: Step[] = [];
    for (const step of [...this.steps].reverse()) {
      if (!step.node.outputs.some((name) => needed.has(name))) continue;
      for (const name of step.node.inputs) needed.add(name);
      steps.unshift(step);
    }
    this.stepsTo.set(wanted.join(), steps);
    return steps;
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
