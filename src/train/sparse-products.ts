// Sparse products as ONNX has them: a MatMul whose first operand is a sparse initialiser.

import { rowsOf } from '../base/compressed-rows';
import { type NDArray, ndarray } from '../base/ndarray';
import type { Graph, Node } from '../ir/graph';
import { lowerNode } from '../transform/lower';

/** The graph with each lepton.SparseMatMul of constant entries as a MatMul; the others stay. */
export function sparseProducts(graph: Graph): Graph {
  const values = new Map(graph.values);
  const taken = new Set(values.keys());
  const constant = (name = ''): NDArray | undefined => {
    const found = graph.values.get(name)?.constant;
    return found?.kind === 'inline' ? found.array : undefined;
  };
  const nodes = graph.nodes.flatMap((node): readonly Node[] => {
    if (node.op !== 'lepton.SparseMatMul') return [node];
    const [entries, columnIndices, rowOffsets] = node.inputs.map(constant);
    if (!entries || !columnIndices || !rowOffsets) return [node];
    const made = lowerNode(node, values, taken, (n, b) => {
      const { rows, columns } = n.attributes as { readonly rows: number; readonly columns: number };
      const rowOf = rowsOf(rowOffsets.data);
      const places = Float64Array.from(columnIndices.data, (column, i) => (rowOf[i] as number) * columns + column);
      const indices = b.constant(ndarray('int64', [places.length], places));
      const parts = [n.node.inputs[0] as string, indices];
      const matrix = b.add('lepton.SparseTensor', parts, { dims: [rows, columns] });
      return b.add('MatMul', [...matrix, n.node.inputs[3] as string]);
    });
    return made ?? [node];
  });
  return { ...graph, nodes, values };
}
