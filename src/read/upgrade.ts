// Brings a graph of any opset to the newest one, node by node, by the table of upgrade-rules.ts, and gives
// every value that the nodes mention a type. Behind this border nothing knows that versions exist.
// In: nodes in topological order. Out: a graph in which each node means what `newestOpset` says it means.

import { valuesNeeded } from '../ir/captures';
import type { AttributeValue, Graph, Node, Value } from '../ir/graph';
import { bodyInputDType, outputDTypes } from './infer-dtype';
import { malformed, unsupported } from './malformed';
import { inOrder } from './order';
import { upgrades } from './upgrade-rules';
import type { UpgradeContext } from './upgrade-step';

/** The newest version of the default operator set; the rules cover every change up to it. */
export const newestOpset = 28;

/** The name of an operator in the newest opset, for those that ONNX has replaced. */
export function newestName(op: string): string {
  return upgrades.get(op)?.find((step) => step.renamed)?.renamed ?? op;
}

/** @param opset version of the default operator set that the graph was written for */
export function upgradeGraph(graph: Graph, opset: number): Graph {
  return new Upgrader(graph, opset, () => undefined).run();
}

class Upgrader {
  private readonly values: Map<string, Value>;
  private readonly nodes: Node[] = [];
  private readonly taken: Set<string>;
  /** Values of the graph around this one. */
  private readonly captured = new Set<string>();
  private serial = 0;

  constructor(
    private readonly graph: Graph,
    private readonly opset: number,
    private readonly outer: (name: string) => Value | undefined,
  ) {
    this.values = new Map(graph.values);
    this.taken = new Set([...graph.values.keys(), ...graph.nodes.flatMap((n) => n.outputs)]);
  }

  run(): Graph {
    const { name, inputs, outputs } = this.graph;
    for (const node of inOrder(this.graph.nodes)) this.append(this.upgraded(this.withUpgradedSubgraphs(node)));
    for (const output of outputs) this.capture(output);
    return { name, nodes: this.nodes, values: this.values, inputs, outputs };
  }

  private upgraded(node: Node): Node {
    // A hint of the first opsets about reusing memory.
    const { consumed_inputs: _, ...attributes } = node.attributes;
    const start: Node = { ...node, attributes };
    const steps = upgrades.get(node.op)?.filter((step) => this.opset < step.below) ?? [];
    return steps.reduce((n, step) => step.rewrite(n, this.context(n)), start);
  }

  private withUpgradedSubgraphs(node: Node): Node {
    const attributes = Object.entries(node.attributes).map(([key, value]): [string, AttributeValue] => {
      if (typeof value !== 'object' || !('graph' in value)) return [key, value];
      const outer = (name: string) => this.lookup(name);
      const body = new Upgrader(value.graph, this.opset, outer);
      value.graph.inputs.forEach((name, i) => {
        if (!body.values.has(name)) body.values.set(name, { name, dtype: bodyInputDType(node, i, outer) });
      });
      return [key, { graph: body.run() }];
    });
    return { ...node, attributes: Object.fromEntries(attributes) };
  }

  private append(node: Node): void {
    for (const name of valuesNeeded(node)) this.capture(name);
    const dtypes = outputDTypes(node, (name) => this.lookup(name));
    node.outputs.forEach((name, i) => {
      if (name !== '' && !this.values.has(name)) this.values.set(name, { name, dtype: dtypes[i] ?? 'float32' });
    });
    this.nodes.push(node);
  }

  private lookup(name: string): Value | undefined {
    return this.own(name) ?? this.outer(name);
  }

  private own(name: string): Value | undefined {
    return this.captured.has(name) ? undefined : this.values.get(name);
  }

  /** A subgraph knows the types of what it reads from outside; constants among it stay outside. */
  private capture(name: string): void {
    const value = this.own(name) ? undefined : this.outer(name);
    if (!value) return;
    const { constant: _, ...type } = value;
    this.values.set(name, type);
    this.captured.add(name);
  }

  private context(node: Node): UpgradeContext {
    const refuse = (make: typeof malformed) => (problem: string) => {
      throw make(`${node.op} node "${node.name}" (opset ${this.opset}) ${problem}.`, { node: node.name, op: node.op });
    };
    return {
      opset: this.opset,
      value: (name) => this.lookup(name),
      constant: (array) => {
        const name = this.fresh(`${node.name}:constant`);
        this.values.set(name, { name, dtype: array.dtype, dims: array.dims, constant: { kind: 'inline', array } });
        return name;
      },
      add: (op, inputs, attributes = {}) => {
        const name = this.fresh(`${node.name}:${op}`);
        this.append({ name, op, inputs, outputs: [name], attributes });
        return name;
      },
      malformed: refuse(malformed),
      unsupported: refuse(unsupported),
    };
  }

  private fresh(stem: string): string {
    let name = stem;
    while (this.taken.has(name)) name = `${stem}:${++this.serial}`;
    this.taken.add(name);
    return name;
  }
}
