// Makes a graph node by node, with types inferred as nodes are added. Used by `lower`, by passes that
// replace nodes, and by tests. Type inference is an argument: the ir knows no operator.

import type { DType } from '../base/dtype';
import type { NDArray } from '../base/ndarray';
import type { AttributeValue, Dim, Graph, Node, Value } from './graph';
import type { TensorType } from './node-view';
import type { LowerBuilder } from './opdef';

export type InferNode = (node: Node, values: ReadonlyMap<string, Value>) => Map<string, TensorType>;

export class GraphBuilder implements LowerBuilder {
  private readonly nodes: Node[] = [];
  private readonly values = new Map<string, Value>();
  private readonly inputs: string[] = [];
  private serial = 0;

  constructor(
    private readonly name: string,
    private readonly infer: InferNode,
    private readonly taken: ReadonlySet<string> = new Set(),
  ) {}

  /** A builder that knows `values` and makes no new name that is `taken`. */
  static within(name: string, values: Iterable<Value>, taken: ReadonlySet<string>, infer: InferNode): GraphBuilder {
    const builder = new GraphBuilder(name, infer, taken);
    for (const value of values) builder.values.set(value.name, value);
    return builder;
  }

  input(name: string, dtype: DType, dims: readonly Dim[]): string {
    this.values.set(name, { name, dtype, dims });
    this.inputs.push(name);
    return name;
  }

  constant(array: NDArray, name = this.fresh('constant')): string {
    this.values.set(name, { name, dtype: array.dtype, dims: array.dims, constant: { kind: 'inline', array } });
    return name;
  }

  add(op: string, inputs: readonly string[], attributes: Record<string, AttributeValue> = {}, outputs = 1): string[] {
    const names = Array.from({ length: outputs }, () => this.fresh(op));
    this.append({ name: names[0] as string, op, inputs, outputs: names, attributes });
    return names;
  }

  /** Adds a node as it stands, under its own output names. */
  append(node: Node): void {
    this.nodes.push(node);
    for (const [name, type] of this.infer(node, this.values)) this.values.set(name, { name, ...type });
  }

  type(name: string): TensorType {
    const value = this.values.get(name);
    if (!value?.dims?.every((d) => typeof d === 'number')) throw new Error(`No concrete type for value "${name}".`);
    return { dtype: value.dtype, dims: value.dims as readonly number[] };
  }

  finish(outputs: readonly string[]): Graph {
    return { name: this.name, nodes: this.nodes, values: this.values, inputs: this.inputs, outputs };
  }

  private fresh(stem: string): string {
    let name: string;
    do name = `${stem}:${this.serial++}`;
    while (this.values.has(name) || this.taken.has(name));
    return name;
  }
}
