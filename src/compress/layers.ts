// Finds what can be compressed: constant weights of MatMul, Gemm and Conv, each seen as a matrix of outputs by inputs.
// Weights that several nodes share are one layer, where all use them alike. Layers that cannot be are found too, with why.

import type { DType } from '../base/dtype';
import { sizeOf } from '../base/shape';
import { capturesOf, subgraphsOf } from '../ir/captures';
import type { Graph, Node } from '../ir/graph';
import { movements, type StoredConstants } from './constants';
import { type Held, Holdings, integerPlace } from './held';

/** Weights as a matrix: element (row, column) is at row · rowStride + column · columnStride. */
export interface MatrixView {
  /** Outputs. */
  readonly rows: number;
  /** What every output sums over. */
  readonly columns: number;
  readonly rowStride: number;
  readonly columnStride: number;
}

export interface Layer {
  /** The first node that has the weights. */
  readonly name: string;
  readonly op: string;
  readonly nodes: readonly Node[];
  readonly weight: string;
  readonly dtype: DType;
  readonly dims: readonly number[];
  readonly view: MatrixView;
  /** The axis of `dims` along which the outputs lie. */
  readonly outputAxis: number;
  /** Why it stays as it is. */
  readonly left?: string;
  /** What is known of weights that are not constant floats of the graph itself. */
  readonly held?: Held;
}

/** Of weights that are none. */
export const noMatrix = { view: { rows: 0, columns: 0, rowStride: 0, columnStride: 0 }, outputAxis: 0 };

/** The layers in the order of the graph, then those of its nodes' bodies. @param skip names, patterns, 'first' and 'last' */
export function findLayers(graph: Graph, stored: StoredConstants, skip: readonly (string | RegExp)[]): Layer[] {
  const layers = new Map<string, Layer>();
  const holdings = new Holdings(graph, stored);
  for (const node of graph.nodes) {
    for (const place of weightPlaces(node)) {
      const weight = node.inputs[place] as string;
      const value = graph.values.get(weight);
      if (layers.has(weight)) continue;
      if (!value?.constant) {
        const computed = computedLayer(node, place, holdings);
        if (computed) layers.set(weight, computed);
        continue;
      }
      const dims = value.dims as readonly number[];
      const seen = viewOf(node, place, dims);
      const users = graph.nodes.filter((n) => n.inputs.includes(weight));
      const left = seen ? whyLeft(graph, weight, value.dtype, users, seen) : 'its weights are not one matrix';
      layers.set(weight, {
        ...{ name: node.name, op: node.op, nodes: users, weight, dtype: value.dtype, dims },
        ...(seen ?? noMatrix),
        ...(left !== undefined && { left }),
      });
    }
    const place = integerPlace(node);
    const weight = node.inputs[place ?? 0] as string;
    if (place !== undefined && holdings.isFixed(weight) && !layers.has(weight)) {
      layers.set(weight, leftLayer(node, weight, 'its weights are quantised already', holdings.ofIntegers(node)));
    }
  }
  const all = [...layers.values()];
  const chosen = all.map((layer, i) => {
    const isSkipped = skip.some((s) => {
      if (s instanceof RegExp) return [layer.name, layer.weight].some((name) => name.search(s) >= 0);
      if (s === 'first') return i === 0;
      if (s === 'last') return i === all.length - 1;
      return s === layer.name || s === layer.weight;
    });
    return isSkipped ? { ...layer, left: 'skipped' } : layer;
  });
  const inner = new Map<unknown, Layer>();
  for (const layer of graph.nodes.flatMap((node) => innerLayers(node, holdings))) {
    // Bodies may have weights of one name that are not the same.
    if (!layers.has(layer.weight)) inner.set(layer.held?.constants[0] ?? layer.weight, layer);
  }
  return [...chosen, ...inner.values()];
}

function leftLayer({ name, op }: Node, weight: string, left: string, held: Held | undefined): Layer {
  const { dtype, dims } = held?.weights ?? { dtype: 'float32', dims: [] };
  return { ...{ name, op, nodes: [], weight, dtype, dims, left }, ...noMatrix, ...(held && { held }) };
}

/** A product of two values that depend on the model's inputs has no weights. */
function computedLayer(node: Node, place: number, holdings: Holdings): Layer | undefined {
  const weight = node.inputs[place] as string;
  const isFixed = holdings.isFixed(weight);
  if (node.op === 'MatMul' && !isFixed) return undefined;
  const held = isFixed ? holdings.of(weight) : undefined;
  const state = held?.isQuantised ? 'quantised already' : isFixed ? 'computed' : 'not constant';
  return leftLayer(node, weight, `its weights are ${state}`, held);
}

/** Those in the bodies of a node. */
function innerLayers(node: Node, outer: Holdings): Layer[] {
  return subgraphsOf(node).flatMap((graph) => {
    const holdings = new Holdings(graph, outer.stored, outer);
    const left = `it is in a subgraph of ${node.op} node "${node.name}"`;
    return graph.nodes.flatMap((inner) => {
      const places = weightPlaces(inner).filter((place) => holdings.isFixed(inner.inputs[place] as string));
      const own = places.map((place) => {
        const weight = inner.inputs[place] as string;
        return leftLayer(inner, weight, left, holdings.of(weight));
      });
      return [...own, ...innerLayers(inner, holdings)];
    });
  });
}

/**
 * What stands between constants and the weights that are wanted, and moves them: where nothing else takes the constants on
 * their way, since it would need them in their old form beside the new one.
 */
export function movementTo(graph: Graph, isWanted: (weight: string) => boolean): Set<Node> {
  const captured = new Set([...graph.outputs, ...graph.nodes.flatMap((node) => [...capturesOf(node)])]);
  const readers = new Map<string, Node[]>();
  for (const node of graph.nodes) {
    for (const name of node.inputs) readers.set(name, [...(readers.get(name) ?? []), node]);
  }
  const isForWeights = (name: string): boolean =>
    !captured.has(name) &&
    (readers.get(name) ?? []).every((node) => {
      if (movements.has(node.op)) return node.inputs[0] === name && isForWeights(node.outputs[0] as string);
      return isWanted(name) && weightPlaces(node).some((place) => node.inputs[place] === name);
    });
  return new Set(
    graph.nodes.filter(
      ({ op, inputs, outputs }) =>
        movements.has(op) && isForWeights(inputs[0] as string) && isForWeights(outputs[0] as string),
    ),
  );
}

/** Whether the layer's weights are a constant of the graph that nothing else reads. */
export function isApart({ weight, nodes }: Layer, graph: Graph): boolean {
  return graph.nodes.every(
    (node) => !node.outputs.includes(weight) && (!node.inputs.includes(weight) || nodes.includes(node)),
  );
}

function weightPlaces(node: Node): readonly number[] {
  if (node.op === 'MatMul') return [1, 0];
  return node.op === 'Gemm' || node.op === 'Conv' ? [1] : [];
}

type Seen = Pick<Layer, 'view' | 'outputAxis'>;

function viewOf(node: Node, place: number, dims: readonly number[]): Seen | undefined {
  if (node.op === 'Conv') {
    if (dims.length < 3) return undefined;
    return byRows(dims[0] as number, sizeOf(dims.slice(1)));
  }
  if (dims.length !== 2) return undefined;
  const [first, second] = dims as [number, number];
  const outputsFirst = node.op === 'Gemm' ? node.attributes.transB === 1 : place === 0;
  if (outputsFirst) return byRows(first, second);
  return { view: { rows: second, columns: first, rowStride: 1, columnStride: second }, outputAxis: 1 };
}

function byRows(rows: number, columns: number): Seen {
  return { view: { rows, columns, rowStride: columns, columnStride: 1 }, outputAxis: 0 };
}

function whyLeft(graph: Graph, weight: string, dtype: DType, users: readonly Node[], seen: Seen): string | undefined {
  if (dtype !== 'float32' && dtype !== 'float16') return `its weights are ${dtype}`;
  if (sizeOf([seen.view.rows, seen.view.columns]) === 0) return 'its weights are empty';
  if (graph.outputs.includes(weight)) return 'its weights are an output of the model';
  const capturing = graph.nodes.find((node) => capturesOf(node).has(weight));
  if (capturing) return `${capturing.op} node "${capturing.name}" has its weights in a subgraph`;
  const dims = graph.values.get(weight)?.dims as readonly number[];
  const other = users.find((node) => {
    const places = node.inputs.flatMap((name, i) => (name === weight ? [i] : []));
    const [place, ...more] = places as [number, ...number[]];
    if (more.length > 0 || !weightPlaces(node).includes(place)) return true;
    return viewOf(node, place, dims)?.outputAxis !== seen.outputAxis;
  });
  return other && `${other.op} node "${other.name}" uses its weights in another way`;
}
