// Divides a graph into what can be planned now and what has to wait. Planning needs every shape, and shapes
// may hang on data: on what is fed, on what the GPU computes, on what an operator of the host finds. So a
// run is a chain of stages, and this pass says what the next one is:
//  - feeds: elements of some inputs must be known first; asked again with them, it goes on;
//  - host: nodes that run on the host now, for all they read is fed;
//  - gpu: the nodes whose shapes are all known. Their results, and what must be read back, feed `later`.
// Control flow is written out on the way. In: a graph as read, with concrete sizes of its inputs. Out: `now`
// is specialised (see specialise.ts), `later` is a graph like the one that came in.

import type { DType } from '../base/dtype';
import type { NDArray } from '../base/ndarray';
import { valuesNeeded } from '../ir/captures';
import type { Graph, Node, Value } from '../ir/graph';
import { ValueNeeded } from '../ir/node-view';
import { flowOf, inferNode, opOf } from '../ops/registry';
import { dropDeadCode } from './dead-code';
import { expand, lastExpansion, mostExpanded, requireTensors, tooLarge } from './expand';
import { type HostNode, HostValues } from './host-values';
import { fold, inline, inlineArrays } from './specialise';

export interface DivideRequest {
  readonly dims: ReadonlyMap<string, readonly number[]>;
  /** Types of inputs, where they differ from what the graph says: the host decides those of its results. */
  readonly dtypes: ReadonlyMap<string, DType>;
  /** Elements of inputs that were asked for before. */
  readonly known: ReadonlyMap<string, NDArray>;
  /** Why a node, by name, must run on the host although its operator would not say so. */
  readonly hostReasons: ReadonlyMap<string, string>;
  /** Values that later passes need the elements of. */
  readonly needed: ReadonlySet<string>;
}

/** A node whose inputs are all there, and those of its inputs that are constants. */
export interface ReadyNode extends HostNode {
  readonly constants: ReadonlyMap<string, NDArray>;
}

export type Division =
  | { readonly kind: 'feeds'; readonly names: readonly string[] }
  | {
      readonly kind: 'host';
      readonly nodes: readonly ReadyNode[];
      readonly rest?: Graph;
      readonly evaluated: readonly HostNode[];
    }
  | {
      readonly kind: 'gpu';
      readonly now: Graph;
      readonly later?: Graph;
      /** Values that the host will need of this stage. */
      readonly read: readonly string[];
      /** Nodes whose results planning needed, computed on the host. */
      readonly evaluated: readonly HostNode[];
    };

export function divide(graph: Graph, request: DivideRequest): Division {
  return new Divider(dropDeadCode(graph), request).run();
}

class Divider {
  private readonly values = new Map<string, Value>();
  private readonly queue: Node[];
  private readonly nodes: Node[] = [];
  private readonly waiting: Node[] = [];
  /** What waiting nodes will write. */
  private readonly pending = new Set<string>();
  private readonly feeds = new Set<string>();
  /** Computed values that must be read back. */
  private readonly cuts = new Set<string>();
  private readonly onHost: ReadyNode[] = [];
  private readonly hostValues: HostValues;
  private expanded = 0;
  private nextExpansion: number;

  constructor(
    private readonly graph: Graph,
    private readonly request: DivideRequest,
  ) {
    for (const value of graph.values.values()) {
      if (value.constant || value.members !== undefined) this.values.set(value.name, value);
    }
    for (const name of graph.inputs) {
      const value = graph.values.get(name) as Value;
      const { dims = [], dtype } = value;
      this.values.set(name, {
        ...value,
        dims: request.dims.get(name) ?? dims,
        dtype: request.dtypes.get(name) ?? dtype,
      });
    }
    this.queue = [...graph.nodes].reverse();
    this.nextExpansion = 1 + lastExpansion(graph);
    this.hostValues = new HostValues(this.values, new Set(graph.inputs), request.known);
  }

  run(): Division {
    for (let node = this.queue.pop(); node; node = this.queue.pop()) this.take(node);
    requireTensors(this.graph.outputs, this.values);
    if (this.feeds.size > 0) return { kind: 'feeds', names: [...this.feeds] };
    if (this.onHost.length > 0) return this.rest();
    return this.stage();
  }

  private take(node: Node): void {
    if (valuesNeeded(node).some((name) => this.pending.has(name))) {
      this.defer(node);
      return;
    }
    try {
      const early = node.inputs.findIndex((name) => this.request.needed.has(name) && !this.isInline(name));
      if (early >= 0) throw new ValueNeeded(node, early);
      const passed = node.op === 'Identity' ? this.values.get(node.inputs[0] as string) : undefined;
      if (flowOf(node)) this.expandFlow(node);
      else if (passed?.members !== undefined) this.passOn(node, passed);
      else this.takeOperator(node);
    } catch (error) {
      if (!(error instanceof ValueNeeded)) throw error;
      this.provide(error.value, node);
    }
  }

  private passOn({ outputs }: Node, sequence: Value): void {
    const name = outputs[0] as string;
    this.values.set(name, { ...sequence, name });
  }

  private takeOperator(node: Node): void {
    const folded = fold(node, this.values);
    const reason = this.request.hostReasons.get(node.name) ?? opOf(node).host;
    if (folded) {
      node.outputs.forEach((name, i) => {
        const array = folded[i];
        if (name !== '' && array) this.values.set(name, inline(name, array));
      });
    } else if (reason !== undefined) {
      this.takeHost(node, reason);
    } else {
      for (const [name, type] of inferNode(node, this.values)) this.values.set(name, { name, ...type });
      this.nodes.push(node);
      this.hostValues.note(node);
    }
  }

  /** Makes a value known and takes the node again, or notes what is missing and lets the node wait. */
  private provide(value: string, node: Node): void {
    const found = this.hostValues.find(value, node);
    if (found === 'cut') this.cuts.add(value);
    else if ('missing' in found) for (const feed of found.missing) this.feeds.add(feed);
    else {
      this.values.set(value, inline(value, found));
      this.queue.push(node);
      return;
    }
    this.defer(node);
  }

  private takeHost(node: Node, reason: string): void {
    const computed = node.inputs.filter(
      (name) => name !== '' && !this.isInline(name) && !this.graph.inputs.includes(name),
    );
    for (const name of computed) this.cuts.add(name);
    if (computed.length === 0) this.onHost.push({ node, reason, constants: inlineArrays(node.inputs, this.values) });
    this.defer(node);
  }

  private defer(node: Node): void {
    this.waiting.push(node);
    for (const name of node.outputs) if (name !== '') this.pending.add(name);
  }

  private expandFlow(node: Node): void {
    const { nodes, values } = expand(node, this.values, this.nextExpansion++);
    for (const value of values) this.values.set(value.name, value);
    this.expanded += nodes.length;
    if (this.expanded > mostExpanded) throw tooLarge(node);
    for (const inner of [...nodes].reverse()) this.queue.push(inner);
  }

  private isInline(name: string): boolean {
    return this.values.get(name)?.constant?.kind === 'inline';
  }

  /** What is left when these nodes have run on the host: what they write is fed to it. */
  private rest(): Division {
    const done = new Set(this.onHost.map(({ node }) => node));
    const written = this.onHost.flatMap(({ node }) => node.outputs).filter((name) => name !== '');
    const nodes = [...this.computed(), ...this.waiting.filter((node) => !done.has(node))];
    const missing = this.graph.outputs.filter((name) => !written.includes(name));
    const { onHost } = this;
    const { evaluated } = this.hostValues;
    if (missing.length === 0) return { kind: 'host', nodes: onHost, evaluated };
    return {
      kind: 'host',
      nodes: onHost,
      evaluated,
      rest: this.graphOf(nodes, [...this.graph.inputs, ...written], missing),
    };
  }

  private stage(): Division {
    const { graph, cuts } = this;
    const nodes = this.computed();
    const available = (name: string) => this.values.has(name) && !this.pending.has(name);
    const written = new Set(nodes.flatMap((node) => node.outputs));
    const needs = this.waiting.flatMap(valuesNeeded);
    const awaited = new Set([...needs, ...needs.flatMap((name) => this.values.get(name)?.members ?? []), ...cuts]);
    // A stored constant that must be read back passes through the stage like anything computed.
    const live = [...awaited].filter((name) => written.has(name) || cuts.has(name));
    const outputs = [...new Set([...graph.outputs.filter(available), ...live])];
    const read = new Set([...nodes.flatMap(valuesNeeded), ...outputs]);
    const inputs = graph.inputs.filter((name) => read.has(name) && !this.isInline(name));
    const now = dropDeadCode({ ...graph, inputs, outputs, nodes, values: this.values });
    const { evaluated } = this.hostValues;
    if (this.waiting.length === 0) return { kind: 'gpu', now, read: [], evaluated };
    const fed = [
      ...graph.inputs.filter((name) => awaited.has(name)),
      ...live.filter((name) => !graph.inputs.includes(name)),
    ];
    const missing = graph.outputs.filter((name) => !available(name));
    return { kind: 'gpu', now, later: this.graphOf(this.waiting, fed, missing), read: [...cuts], evaluated };
  }

  /** The nodes whose types are known. A value that was evaluated is a constant now: nothing writes it any more. */
  private computed(): Node[] {
    const { provided } = this.hostValues;
    return this.nodes
      .map((node) => ({ ...node, outputs: node.outputs.map((name) => (provided.has(name) ? '' : name)) }))
      .filter((node) => node.outputs.some((name) => name !== ''));
  }

  private graphOf(nodes: readonly Node[], inputs: readonly string[], outputs: readonly string[]): Graph {
    const values = new Map(this.graph.values);
    for (const value of this.values.values()) values.set(value.name, value);
    for (const name of inputs) {
      const { constant: _, ...value } = values.get(name) ?? { name, dtype: 'float32' as const };
      values.set(name, value);
    }
    return dropDeadCode({ ...this.graph, nodes, values, inputs, outputs });
  }
}
