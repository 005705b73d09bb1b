// The variant of software adapters with subgroups: neighbours share loads, queries and sums stay in registers or on
// the stack. What goes through all columns of the rows is unrolled, and generated here.

import shader from '../../../shaders/attention-quad.wgsl?raw';
import { ceilDiv } from '../../base/shape';
import type { Tunables } from '../../ir/kernel';
import { type AttentionNode, type Problem, problemOf } from './problem';
import { type AttentionKernel, attentionDispatch, elementBytes, operands, result, seenShare } from './text';

/** Quads of queries and of sums that an invocation may hold: compiling takes 5 to 10 ms for each. */
const mostQuads = 32;
/** With so many scores the run takes longer than compiling twice as many. */
const manyScores = 2 ** 21;

function gridOf(n: AttentionNode, t: Tunables) {
  const rows = t.rows as number;
  const p = problemOf(n);
  const rowTiles = ceilDiv(p.group * p.queries, 4 * rows);
  const items = p.batch * p.kvHeads * rowTiles;
  const quads = { q: ceilDiv(p.depth, 4), v: ceilDiv(p.valueDepth, 4) };
  return { p, rows, quads, grid: { rowTiles, columnTiles: 1, splits: 1, items } };
}

const lanes = 32;

export const quad: AttentionKernel = {
  name: 'quad',
  space: { rows: [4, 2, 1] },
  when: (_, { software, features }) => software && features.includes('subgroups'),
  legal(n, t) {
    const { p, rows, quads } = gridOf(n, t);
    const most = p.batch * p.heads * p.queries * p.keys >= manyScores ? 2 * mostQuads : mostQuads;
    return rows * Math.max(quads.q, quads.v) <= most;
  },
  cost(n, t) {
    const { p, rows, quads, grid } = gridOf(n, t);
    const blocks = grid.items * Math.ceil((p.keys / 4) * seenShare(n, p));
    const held = rows * (quads.q + quads.v);
    return {
      flops: blocks * 4 * (32 * held + 16 * (quads.q + quads.v) + 300 * rows),
      traffic: blocks * 16 * elementBytes(n) * (quads.q + quads.v) + grid.items * 64 * held,
      workgroups: ceilDiv(4 * grid.items, lanes),
    };
  },
  dispatches(n, t) {
    const { p, rows, quads, grid } = gridOf(n, t);
    const workgroups = ceilDiv(4 * grid.items, lanes);
    return [
      attentionDispatch(n, grid, {
        label: 'Attention.quad',
        enables:
          'enable subgroups;\n// Four neighbours walk the same keys, so that what they share is uniform among them.\ndiagnostic(off, subgroup_uniformity);',
        shader: `const ROWS = ${rows}u;\nconst Q_QUADS = ${quads.q}u;\nconst V_QUADS = ${quads.v}u;\n${shader}\n${attendText(rows, p)}`,
        parts: [operands(p, blocked), result(p)],
        constants: { LANES: lanes },
        workgroups,
      }),
    ];
  },
};

/** Whether lines are loaded sixteen elements at a time: a software adapter checks the bounds of every load. */
const blocked = (size: number) => size % 16 === 0;

/** Declares quad `c` of the own line of keys or values as `k…` or `v…`, and the four neighbours' as a matrix. */
function loadText(name: 'k' | 'v', at: string, size: number, c: number): string {
  const block = `${name}Block${c >> 2}`;
  const load = c % 4 === 0 ? `let ${block} = ${name}[(${at} >> 4u) + ${c >> 2}u];\n  ` : '';
  const own = blocked(size)
    ? `${load}let ${name}${c} = vec4f(${block}[${c % 4}]);`
    : `let ${name}${c} = ${name}Quad(${at}, ${c}u);`;
  const lanes = [0, 1, 2, 3].map((lane) => `quadBroadcast(${name}${c}, ${lane}u)`);
  return `${own}
  let ${name}All${c} = mat4x4f(${lanes.join(', ')});`;
}

/** Takes the keys `key` to `key` + 3 in, of which `ownKey` and `ownValue` are this invocation's to load. */
function attendText(rows: number, p: Problem): string {
  const [q, v] = [ceilDiv(p.depth, 4), ceilDiv(p.valueDepth, 4)];
  const each = (count: number, text: (i: number) => string) =>
    Array.from({ length: count }, (_, i) => text(i)).join('\n  ');
  const changed = Array.from({ length: rows }, (_, r) => `found[${r}] > tops[${r}] + slack`);
  return `fn attend(plane: Plane, row: u32, key: u32, ownKey: u32, ownValue: u32) {
  ${each(rows, (r) => `var s${r} = vec4f();`)}
  ${each(
    q,
    (c) => `${loadText('k', 'ownKey', p.depth, c)}
  ${each(rows, (r) => `s${r} += queries[${r * q + c}] * kAll${c};`)}`,
  )}
  ${each(
    rows,
    (r) => `s${r} = finishRow(s${r}, plane, row + ${r}u, key);
  found[${r}] = topOf(s${r});`,
  )}
  if (${changed.join(' || ')}) { raise(); }
  ${each(
    rows,
    (r) => `let p${r} = weightsOf(s${r}, tops[${r}]);
  totals[${r}] += p${r}.x + p${r}.y + p${r}.z + p${r}.w;`,
  )}
  ${each(
    v,
    (c) => `${loadText('v', 'ownValue', p.valueDepth, c)}
  ${each(rows, (r) => `sums[${r * v + c}] += vAll${c} * p${r};`)}`,
  )}
}
`;
}
