// Functions that a model defines: every call is replaced by the function's nodes, under names of their own
// and with the call's attributes. In: a graph as the file has it. Out: one that calls no function.

import { capturesOf } from '../ir/captures';
import type { AttributeValue, Graph, Node, Value } from '../ir/graph';
import { inlineGraph } from '../ir/inline';
import { operatorName, readAttributes, readGraph } from './graph';
import { malformed, unsupported } from './malformed';
import type { FunctionProto } from './proto';

/** A function that calls another counts one; more than this many deep is a cycle in all but name. */
const mostCalls = 64;
/** Calls and nodes in them; a few lines that double at every level could fill any memory. */
const mostNodes = 50_000;

/** @param opset version of the default operator set that the model is written for */
export function inlineFunctions(graph: Graph, functions: readonly FunctionProto[], opset: number): Graph {
  if (functions.length === 0) return graph;
  return new Inliner(functions, opset).graph(graph, []);
}

class Inliner {
  private readonly functions = new Map<string, FunctionProto>();
  private serial = 0;
  private nodes = 0;

  constructor(
    functions: readonly FunctionProto[],
    private readonly opset: number,
  ) {
    for (const f of functions) {
      const name = operatorName({ op: f.name ?? '', domain: f.domain ?? '', overload: f.overload ?? '' });
      if (this.functions.has(name))
        throw malformed(`The model defines the function "${name}" twice.`, { function: name });
      this.functions.set(name, f);
    }
  }

  /** @param callers functions that the graph's nodes stand in, outermost first */
  graph(graph: Graph, callers: readonly string[]): Graph {
    const values = new Map(graph.values);
    const nodes = graph.nodes.flatMap((node) => this.node(node, values, callers));
    return { ...graph, nodes, values };
  }

  private node(node: Node, values: Map<string, Value>, callers: readonly string[]): readonly Node[] {
    if (++this.nodes > mostNodes) throw unsupported(`The model's functions come to more than ${mostNodes} nodes.`);
    const name = node.op;
    const called = this.functions.get(name);
    if (!called) return [{ ...node, attributes: this.attributes(node.attributes, callers) }];
    if (callers.includes(name) || callers.length >= mostCalls) {
      throw malformed(`The function "${name}" calls itself: ${[...callers, name].join(' → ')}.`, { function: name });
    }
    this.requireOpset(called, name, node);
    if (node.inputs.length > called.inputs.length || node.outputs.length > called.outputs.length) {
      throw malformed(
        `Node "${node.name}" gives the function "${name}" ${node.inputs.length} inputs and takes ${node.outputs.length} outputs; it has ${called.inputs.length} and ${called.outputs.length}.`,
        { node: node.name, function: name },
      );
    }
    const inlined = inlineGraph(bodyOf(called, node, name), node.inputs, `${rootOf(node.name)}@${this.serial++}/`);
    for (const value of inlined.values) values.set(value.name, value);
    // From the outside in: each node is renamed once, however deep it stands.
    const nodes = inlined.nodes.flatMap((inner) => this.node(inner, values, [...callers, name]));
    const results = node.outputs.map((output, i): Node => {
      const inputs = [inlined.outputs[i] as string];
      return { name: `${node.name}.${i}`, op: 'Identity', inputs, outputs: [output], attributes: {} };
    });
    return [...nodes, ...results.filter(({ outputs }) => outputs[0] !== '')];
  }

  private attributes(attributes: Node['attributes'], callers: readonly string[]): Node['attributes'] {
    const inside = ([key, value]: [string, AttributeValue]): [string, AttributeValue] =>
      typeof value === 'object' && 'graph' in value ? [key, { graph: this.graph(value.graph, callers) }] : [key, value];
    return Object.fromEntries(Object.entries(attributes).map(inside));
  }

  /** All nodes of the inlined graph must mean what the model's opset says. */
  private requireOpset({ opsets }: FunctionProto, name: string, node: Node): void {
    const own = opsets.find((o) => !o.domain || o.domain === 'ai.onnx')?.version;
    if (own === undefined || own === this.opset) return;
    throw unsupported(
      `Node "${node.name}" calls the function "${name}", which is written for opset ${own}, the model for opset ${this.opset}. ` +
        'Convert the model with onnx.version_converter.',
      { node: node.name, function: name, expected: this.opset, got: own },
    );
  }
}

/** Names must not grow with the depth of calls. */
function rootOf(name: string): string {
  return name.replace(/@\d+\/.*/s, '');
}

/** The function's body with the attributes of one call. */
function bodyOf(called: FunctionProto, node: Node, name: string): Graph {
  const defaults = readAttributes(called.defaults, `function "${name}"`);
  const { inputs, outputs, nodes } = called;
  const body = readGraph(
    {
      name,
      nodes,
      initializers: [],
      sparseInitializers: [],
      inputs: inputs.map((i) => ({ name: i })),
      outputs: outputs.map((o) => ({ name: o })),
      values: [],
    },
    { isBody: true, references: { ...defaults, ...node.attributes } },
  );
  const [outer] = capturesOf({ ...node, attributes: { body: { graph: body } } });
  if (outer === undefined) return body;
  throw malformed(
    `The function "${name}" reads "${outer}", which is none of its inputs and which it does not compute.`,
    {
      function: name,
      value: outer,
    },
  );
}
