// Finds what can be compressed: constant weights of MatMul, Gemm and Conv, each seen as a matrix of outputs by inputs.
// Weights that several nodes share are one layer, where all use them alike.

import type { DType } from '../base/dtype';
import { sizeOf } from '../base/shape';
import { capturesOf } from '../ir/captures';
import type { Graph, Node } from '../ir/graph';

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
}

/** The layers in the order of the graph. @param skip names, patterns, 'first' and 'last' */
export function findLayers(graph: Graph, skip: readonly (string | RegExp)[]): Layer[] {
  const layers = new Map<string, Layer>();
  for (const node of graph.nodes) {
    for (const place of weightPlaces(node)) {
      const weight = node.inputs[place] as string;
      const value = graph.values.get(weight);
      if (!value?.constant || layers.has(weight)) continue;
      const dims = value.dims as readonly number[];
      const seen = viewOf(node, place, dims);
      const users = graph.nodes.filter((n) => n.inputs.includes(weight));
      const left = seen ? whyLeft(graph, weight, value.dtype, users, seen) : 'its weights are not one matrix';
      layers.set(weight, {
        ...{ name: node.name, op: node.op, nodes: users, weight, dtype: value.dtype, dims },
        ...(seen ?? { view: { rows: 0, columns: 0, rowStride: 0, columnStride: 0 }, outputAxis: 0 }),
        ...(left !== undefined && { left }),
      });
    }
  }
  const all = [...layers.values()];
  return all.map((layer, i) => {
    const isSkipped = skip.some((s) => {
      if (s instanceof RegExp) return [layer.name, layer.weight].some((name) => name.search(s) >= 0);
      if (s === 'first') return i === 0;
      if (s === 'last') return i === all.length - 1;
      return s === layer.name || s === layer.weight;
    });
    return isSkipped ? { ...layer, left: 'skipped' } : layer;
  });
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
