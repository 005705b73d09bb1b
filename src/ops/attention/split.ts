// The variant of few rows, as when a token is generated: workgroups share the keys out, and where there are
// several of them a second pass joins what they found.

import joinShader from '../../../shaders/attention-join.wgsl?raw';
import splitShader from '../../../shaders/attention-split.wgsl?raw';
import { ceilDiv } from '../../base/shape';
import type { Operand, Tunables } from '../../ir/kernel';
import { type AttentionNode, problemOf } from './problem';
import { type AttentionKernel, attentionDispatch, elementBytes, operands, result, seenShare } from './text';

interface Split {
  readonly lanes: number;
  readonly keyQuads: number;
  readonly slices: number;
}

/** Rows beyond which the keys are read too often: each four rows read them again. */
const mostRows = 64;

function gridOf(n: AttentionNode, t: Tunables) {
  const split = t as unknown as Split;
  const p = problemOf(n);
  const quads = ceilDiv(p.valueDepth, 4);
  const rowTiles = ceilDiv(p.group * p.queries, 4);
  const splits = Math.max(1, ceilDiv(p.keys, 4 * split.keyQuads));
  const planes = p.batch * p.kvHeads * rowTiles;
  // The least power of two that covers a line of values, so that its groups join in halves.
  const columnLanes = Math.min(split.lanes, 2 ** Math.ceil(Math.log2(quads)));
  return { split, p, quads, columnLanes, planes, grid: { rowTiles, columnTiles: 1, splits, items: planes * splits } };
}

const partBytes = (t: Split) => 64 * t.keyQuads * t.slices + 16 * t.keyQuads + 80 * t.lanes;

/** A CPU takes long to compile much workgroup memory, see tile.ts. */
const softwareMemory = 6144;

/** Where a split's part goes: six vec4f for each column quad, see attention-join.wgsl. */
const partText = `
@group(0) @binding(3) var<storage, read_write> partial: array<vec4f>;
fn storeQuad(at: u32, c: u32, v: vec4f) {}
fn settle(plane: Plane, rowQuad: u32, split: u32, c: u32, sums: mat4x4f, tops: vec4f, totals: vec4f) {
  let at = 6u * ((rowQuad * params.splits + split) * ((params.valueDepth + 3u) / 4u) + c);
  var lines = sums;
  for (var i = 0u; i < 4u; i++) { partial[at + i] = lines[i]; }
  partial[at + 4u] = tops;
  partial[at + 5u] = totals;
}
`;

const directText = `
fn settle(plane: Plane, rowQuad: u32, split: u32, c: u32, sums: mat4x4f, tops: vec4f, totals: vec4f) {
  storeRows(plane, 4u * (rowQuad % params.rowTiles), c, sums, tops, totals);
}
`;

export const split: AttentionKernel = {
  name: 'split',
  space: { lanes: [64, 128, 32], keyQuads: [32, 64, 16, 8], slices: [4, 1, 8] },
  when: (n) => problemOf(n).group * problemOf(n).queries <= mostRows,
  legal(n, t, { limits, software }) {
    const own = t as unknown as Split;
    if (software) return partBytes(own) <= softwareMemory;
    // A GPU wants many invocations, neighbours of which read neighbouring words.
    const neighbours = own.slices >= Math.min(4, problemOf(n).depth / 4);
    const lanes = own.lanes >= 64 && own.keyQuads * own.slices >= own.lanes;
    return neighbours && lanes && partBytes(own) <= limits.maxComputeWorkgroupStorageSize;
  },
  cost(n, t) {
    const { split, p, quads, columnLanes, planes, grid } = gridOf(n, t);
    const seen = seenShare(n, p);
    const blocks = grid.items * split.keyQuads * seen;
    const depth = ceilDiv(p.depth, 4);
    const bytes = elementBytes(n);
    const columns = columnLanes * ceilDiv(quads, columnLanes);
    const groups = split.lanes / columnLanes;
    const partial = grid.splits > 1 ? 2 * grid.items * quads * 96 : 0;
    return {
      flops: blocks * (128 * ceilDiv(depth, split.slices) * split.slices + 128 * columns + 600),
      traffic: blocks * 16 * bytes * (2 * depth + columns) + partial,
      shared:
        blocks * 64 * (2 * split.slices + 3 + columns) +
        grid.items * split.lanes * (16 * split.keyQuads + 160 * Math.log2(Math.max(2, groups))),
      cleared: grid.items * split.lanes * partBytes(split),
      workgroups: grid.items + (grid.splits > 1 ? ceilDiv(planes * quads, 64) : 0),
      dispatches: grid.splits > 1 ? 2 : 1,
    };
  },
  dispatches(n, t) {
    const { split, p, quads, columnLanes, planes, grid } = gridOf(n, t);
    const several = grid.splits > 1;
    const partial: Operand = { scratch: 'partial', bytes: 96 * grid.items * quads };
    const stored = several
      ? [{ text: partText, bindings: { partial } }]
      : [result(p), { text: directText, bindings: {} }];
    const first = attentionDispatch(n, grid, {
      label: 'Attention.split',
      shader: splitShader,
      parts: [operands(p), ...stored],
      constants: {
        LANES: split.lanes,
        KEY_QUADS: split.keyQuads,
        SLICES: split.slices,
        COLUMN_LANES: columnLanes,
        PARTS: split.keyQuads * split.slices,
      },
      workgroups: grid.items,
    });
    if (!several) return [first];
    const lanes = 64;
    const items = planes * quads;
    const second = attentionDispatch(
      n,
      { ...grid, items },
      {
        label: 'Attention.join',
        shader: joinShader,
        parts: [result(p), { text: '', bindings: { partial } }],
        constants: { LANES: lanes },
        workgroups: ceilDiv(items, lanes),
      },
    );
    return [first, second];
  },
};
