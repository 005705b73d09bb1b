// Makes every shape concrete: binds symbolic dimensions, infers types node by node, and folds what is
// computed from small constants alone, since shapes are (Shape → Gather → Concat → Reshape). What is
// computed from large constants stays a node: the plan runs it once on the GPU.

import { LeptonError } from '../base/errors';
import type { NDArray } from '../base/ndarray';
import { formatDims, sizeOf } from '../base/shape';
import type { Dim, Graph, Node, Value } from '../ir/graph';
import { inferNode, inferTypes, opOf, viewNode } from '../ops/registry';

/** Results above this many elements are not computed on the host. */
export const largestFold = 1 << 16;

/** @param sizes concrete size of every symbolic dimension of the graph's inputs */
export function specialise(graph: Graph, sizes: ReadonlyMap<string, number>): Graph {
  const values = new Map<string, Value>();
  for (const value of graph.values.values()) if (value.constant) values.set(value.name, value);
  for (const name of graph.inputs) {
    const value = graph.values.get(name) as Value;
    values.set(name, { ...value, dims: bind(value, sizes) });
  }
  const nodes: Node[] = [];
  for (const node of graph.nodes) {
    const folded = fold(node, values);
    if (folded) {
      node.outputs.forEach((name, i) => {
        const array = folded[i];
        if (name !== '' && array) values.set(name, inline(name, array));
      });
      continue;
    }
    nodes.push(node);
    for (const [name, type] of inferNode(node, values)) values.set(name, { name, ...type });
  }
  return { ...graph, nodes, values };
}

function bind(value: Value, sizes: ReadonlyMap<string, number>): number[] {
  const unbound = (dim: Dim | undefined): never => {
    throw new LeptonError(
      'INVALID_INPUT',
      `The size of dimension "${dim ?? '?'}" of "${value.name}" ${value.dims ? formatDims(value.dims) : ''} is not known.`,
      { details: { value: value.name, dimension: dim } },
    );
  };
  return (value.dims ?? unbound(undefined)).map((d) => (typeof d === 'number' ? d : (sizes.get(d) ?? unbound(d))));
}

export function fold(node: Node, values: ReadonlyMap<string, Value>): NDArray[] | undefined {
  const op = opOf(node);
  if (node.program || op.varies) return undefined;
  const known = node.inputs.map((name) => (name === '' ? undefined : values.get(name)?.constant));
  const allInline = node.inputs.every((name, i) => name === '' || known[i]?.kind === 'inline');
  if (!op.shapeOnly && !allInline) return undefined;
  const view = viewNode(node, values);
  const types = inferTypes(view);
  if (types.some((t) => sizeOf(t.dims) > largestFold)) return undefined;
  return op.reference(
    view,
    known.map((c) => (c?.kind === 'inline' ? c.array : undefined)),
  );
}

export function inline(name: string, array: NDArray): Value {
  return { name, dtype: array.dtype, dims: array.dims, constant: { kind: 'inline', array } };
}

/** The elements of those of the named values that are known on the host. */
export function inlineArrays(names: readonly string[], values: ReadonlyMap<string, Value>): Map<string, NDArray> {
  return new Map(
    names.flatMap((name) => {
      const constant = values.get(name)?.constant;
      return constant?.kind === 'inline' ? [[name, constant.array] as const] : [];
    }),
  );
}
