// Carries out rules that replace nodes. A rule looks at one node and at what feeds it, may add nodes, and names the
// value that takes the place of the node's result. What nothing reads any more goes afterwards, so a rule holds
// also where something else still reads a value from the middle of what it matched.
// In: a graph with all its types known; out: the same.

import type { NDArray } from '../base/ndarray';
import { GraphBuilder } from '../ir/builder';
import { type AttributeValue, type Graph, type Node, type Value, valuesRead } from '../ir/graph';
import type { TensorType } from '../ir/node-view';
import { inferNode } from '../ops/registry';
import { dropDeadCode } from './dead-code';

/** The graph around a node, as far as it has been rewritten. */
export interface Surroundings {
  /** The node that computes a value; undefined for inputs and constants. */
  writer(name: string): Node | undefined;
  /** Whether one node alone needs the value, and it is no output of the graph. */
  readOnce(name: string): boolean;
  type(name: string): TensorType;
  isConstant(name: string): boolean;
  /** The elements of a constant that is held on the host. */
  array(name: string): NDArray | undefined;
  /** The element of such a constant that has only one. */
  scalar(name: string): number | undefined;
  add(op: string, inputs: readonly string[], attributes?: Record<string, AttributeValue>): string;
  constant(array: NDArray): string;
}

/** Answers with the name of the value that replaces the node's first result; undefined leaves the node. */
export type Rule = (node: Node, around: Surroundings) => string | undefined;

/** @param rules by operator; nodes come in topological order, each with its inputs rewritten */
export function rewrite(graph: Graph, rules: Readonly<Record<string, Rule>>): Graph {
  if (!graph.nodes.some(({ op }) => rules[op])) return graph;
  return new Rewriter(graph).run(rules);
}

class Rewriter implements Surroundings {
  private readonly values: Map<string, Value>;
  private readonly writers = new Map<string, Node>();
  private readonly reads = new Map<string, number>();
  private readonly outputs: ReadonlySet<string>;
  /** Value → the one that has taken its place. */
  private readonly replaced = new Map<string, string>();
  private readonly nodes: Node[] = [];
  private readonly builder: GraphBuilder;
  /** Nodes that the builder has made, of which those from `taken` on belong to the node at hand. */
  private readonly made: readonly Node[];
  private taken = 0;

  constructor(private readonly graph: Graph) {
    this.builder = GraphBuilder.within(graph.name, graph.values.values(), new Set(), inferNode);
    const { nodes, values } = this.builder.finish([]);
    this.made = nodes;
    this.values = values as Map<string, Value>;
    this.outputs = new Set(graph.outputs);
    for (const name of [...graph.nodes.flatMap((n) => [...new Set(valuesRead(n))]), ...graph.outputs]) {
      this.reads.set(name, (this.reads.get(name) ?? 0) + 1);
    }
  }

  run(rules: Readonly<Record<string, Rule>>): Graph {
    for (const original of this.graph.nodes) {
      const node = this.renamed(original);
      const result = rules[node.op]?.(node, this);
      const added = this.made.slice(this.taken);
      this.taken = this.made.length;
      if (result === undefined) this.push(node);
      else this.replace(node, result, added);
    }
    return dropDeadCode({ ...this.graph, nodes: this.nodes, values: this.values });
  }

  private renamed(node: Node): Node {
    if (!node.inputs.some((name) => this.replaced.has(name))) return node;
    return { ...node, inputs: node.inputs.map((name) => this.replaced.get(name) ?? name) };
  }

  private replace(node: Node, result: string, added: readonly Node[]): void {
    const [output] = node.outputs as [string];
    const isNew = added.some((n) => n.outputs.includes(result));
    const named = (name: string) => (isNew && name === result ? output : name);
    for (const n of added) {
      const name = n.outputs.includes(result) ? node.name : `${node.name}/${n.op}`;
      this.push({ ...n, name, inputs: n.inputs.map(named), outputs: n.outputs.map(named) });
    }
    if (isNew) this.values.delete(result);
    else if (this.outputs.has(output)) this.push({ ...node, op: 'Identity', inputs: [result], attributes: {} });
    else this.replaced.set(output, result);
  }

  private push(node: Node): void {
    this.nodes.push(node);
    for (const name of node.outputs) this.writers.set(name, node);
  }

  writer(name: string): Node | undefined {
    return this.writers.get(name);
  }

  readOnce(name: string): boolean {
    return (this.reads.get(name) ?? 0) <= 1;
  }

  type(name: string): TensorType {
    return this.builder.type(name);
  }

  isConstant(name: string): boolean {
    return this.values.get(name)?.constant !== undefined;
  }

  array(name: string): NDArray | undefined {
    const constant = this.values.get(name)?.constant;
    return constant?.kind === 'inline' ? constant.array : undefined;
  }

  scalar(name: string): number | undefined {
    const data = this.array(name)?.data;
    return data?.length === 1 ? data[0] : undefined;
  }

  add(op: string, inputs: readonly string[], attributes: Record<string, AttributeValue> = {}): string {
    return this.builder.add(op, inputs, attributes)[0] as string;
  }

  constant(array: NDArray): string {
    return this.builder.constant(array);
  }
}
