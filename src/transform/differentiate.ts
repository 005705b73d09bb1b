// Adds the backward graph: the gradients of one number, the loss, with respect to some values. Reverse-mode automatic
// differentiation over the operators' own rules: https://arxiv.org/abs/1502.05767
// In: a graph with all its types known; out: the same, with the backward nodes behind the forward ones.

import { type DType, isFloat } from '../base/dtype';
import { LeptonError } from '../base/errors';
import { ndarray } from '../base/ndarray';
import { formatDims, sameDims, sizeOf } from '../base/shape';
import { GraphBuilder } from '../ir/builder';
import type { Graph, Node, Value } from '../ir/graph';
import type { AnyOp } from '../ir/opdef';
import { inferNode, opOf, viewNode } from '../ops/registry';
import { registerTrainingOperators } from '../ops/training';
import { lowerNode } from './lower';

registerTrainingOperators();

export interface Differentiated {
  readonly graph: Graph;
  /** How many of the nodes, from the first on, are the forward pass. */
  readonly forward: number;
  /** Of each value that was asked for, the name of its gradient; zeros where the loss does not hang on it. */
  readonly gradients: ReadonlyMap<string, string>;
}

/**
 * @param loss a value of one element
 * @param variables inputs or inner values of the graph
 * @throws UNSUPPORTED_MODEL where an operator between them has no gradient; INVALID_ARGUMENT where the loss is no number
 */
export function differentiate(graph: Graph, loss: string, variables: readonly string[]): Differentiated {
  const { nodes, values, dependent } = differentiable(graph, new Set(variables));
  const type = values.get(loss);
  if (!type || !isFloat(type.dtype) || sizeOf(type.dims as readonly number[]) !== 1) {
    throw new LeptonError(
      'INVALID_ARGUMENT',
      `Only one number can be differentiated, but "${loss}" is ${type ? type.dtype + formatDims(type.dims ?? []) : 'no value'}.`,
      { details: { value: loss } },
    );
  }
  const builder = GraphBuilder.within(graph.name, values.values(), new Set(), inferNode);
  const found = new Backward(builder, dependent);
  found.add(loss, builder.constant(ndarray(type.dtype, type.dims as readonly number[], [1])));
  for (const node of [...nodes].reverse()) found.through(node, values);
  const gradients = new Map(variables.map((name) => [name, found.of(name)]));
  const { nodes: backward, values: all } = builder.finish([]);
  return { graph: { ...graph, nodes: [...nodes, ...backward], values: all }, forward: nodes.length, gradients };
}

/** What hangs on the variables, with operators that have no rule of their own replaced by those they stand for. */
function differentiable(graph: Graph, variables: ReadonlySet<string>) {
  const values = new Map<string, Value>(graph.values);
  const taken = new Set(values.keys());
  const dependent = new Set(variables);
  const nodes: Node[] = [];
  const visit = (node: Node): void => {
    const hangs = node.inputs.some((name) => dependent.has(name));
    const op = opOf(node);
    const parts = hangs && !op.grad ? inOthers(node, op) : undefined;
    if (parts) {
      for (const part of parts) visit(part);
      return;
    }
    nodes.push(node);
    if (!hangs) return;
    // Integers have no gradient, but for those that stand for numbers.
    const passes = (dtype: DType) =>
      isFloat(dtype) || op.straightThrough || (op.view && dependent.has(node.inputs[0] ?? ''));
    for (const name of node.outputs) if (name !== '' && passes((values.get(name) as Value).dtype)) dependent.add(name);
  };
  const inOthers = (node: Node, op: AnyOp) => lowerNode(node, values, taken, op.decompose ?? op.lower);
  for (const node of graph.nodes) visit(node);
  return { nodes, values, dependent };
}

class Backward {
  /** Gradients by value, to be added up. */
  private readonly parts = new Map<string, string[]>();

  constructor(
    private readonly builder: GraphBuilder,
    private readonly dependent: ReadonlySet<string>,
  ) {}

  add(name: string, gradient: string): void {
    this.parts.set(name, [...(this.parts.get(name) ?? []), gradient]);
  }

  /** The value's gradient, once all that reads the value has been gone through. */
  of(name: string): string {
    return this.known(name) ?? this.zeros(name);
  }

  through(node: Node, values: ReadonlyMap<string, Value>): void {
    if (!node.inputs.some((name) => this.dependent.has(name))) return;
    const gradients = node.outputs.map((name) => (this.dependent.has(name) ? this.known(name) : undefined));
    if (gradients.every((g) => g === undefined)) return;
    const { grad } = opOf(node);
    if (!grad) {
      throw new LeptonError(
        'UNSUPPORTED_MODEL',
        `${node.op} node "${node.name}" has no gradient, but what is to be trained lies before it. ` +
          'Freeze what lies before it, or build the model without it.',
        { details: { node: node.name, op: node.op } },
      );
    }
    const results = grad(viewNode(node, values), this.builder, gradients);
    node.inputs.forEach((name, i) => {
      const gradient = results[i];
      if (gradient === undefined || !this.dependent.has(name)) return;
      this.check(node, name, gradient);
      this.add(name, gradient);
    });
  }

  private known(name: string): string | undefined {
    const parts = this.parts.get(name);
    if (!parts) return undefined;
    const sum = parts.length === 1 ? (parts[0] as string) : (this.builder.add('Sum', parts)[0] as string);
    this.parts.set(name, [sum]);
    return sum;
  }

  private zeros(name: string): string {
    const { dtype, dims } = this.builder.type(name);
    return this.builder.constant(ndarray(dtype, dims));
  }

  /** A gradient of the wrong shape would only show much later, if ever. */
  private check(node: Node, name: string, gradient: string): void {
    const [is, should] = [this.builder.type(gradient), this.builder.type(name)];
    const fits = isFloat(should.dtype) ? is.dtype === should.dtype : isFloat(is.dtype);
    if (fits && sameDims(is.dims, should.dims)) return;
    const text = (t: typeof is) => t.dtype + formatDims(t.dims);
    throw new Error(`The gradient of ${node.op} for ${text(should)} is ${text(is)}.`);
  }
}
