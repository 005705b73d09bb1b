// The variant without workgroup memory: an invocation for every four rows.

import shader from '../../../shaders/attention-rows.wgsl?raw';
import { ceilDiv } from '../../base/shape';
import { type AttentionNode, problemOf } from './problem';
import { type AttentionKernel, attentionDispatch, elementBytes, operands, result, seenShare } from './text';

/** Quads of columns an invocation may hold: beyond, others compute the same scores for the rest. */
const mostColumns = 32;

function gridOf(n: AttentionNode) {
  const p = problemOf(n);
  const quads = ceilDiv(p.valueDepth, 4);
  const columnTiles = ceilDiv(quads, mostColumns);
  const columns = ceilDiv(quads, columnTiles);
  const rowTiles = ceilDiv(p.group * p.queries, 4);
  return {
    p,
    columns,
    grid: { rowTiles, columnTiles, splits: 1, items: p.batch * p.kvHeads * columnTiles * rowTiles },
  };
}

export const rows: AttentionKernel = {
  name: 'rows',
  space: { lanes: [32, 64, 8] },
  cost(n, t) {
    const { p, columns, grid } = gridOf(n);
    const blocks = grid.items * Math.ceil((p.keys / 4) * seenShare(n, p));
    const depth = ceilDiv(p.depth, 4);
    const bytes = elementBytes(n);
    return {
      flops: blocks * (128 * depth + (128 + 16) * columns + 400),
      // Sums lie in private memory, which is read and written as storage is.
      traffic: blocks * (128 / 4) * (depth * bytes + (columns * bytes) / 2 + columns * 4),
      workgroups: ceilDiv(grid.items, t.lanes as number),
    };
  },
  dispatches(n, t) {
    const { p, columns, grid } = gridOf(n);
    return [
      attentionDispatch(n, grid, {
        label: 'Attention.rows',
        shader,
        parts: [operands(p), result(p), { text: `const COLUMNS = ${columns}u;`, bindings: {} }],
        constants: { LANES: t.lanes as number },
        workgroups: ceilDiv(grid.items, t.lanes as number),
      }),
    ];
  },
};
