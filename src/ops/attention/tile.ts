// The variant of GPUs: tiles of rows and keys staged through workgroup memory, as many rows as there are.

import shader from '../../../shaders/attention-tile.wgsl?raw';
import { ceilDiv } from '../../base/shape';
import type { Tunables } from '../../ir/kernel';
import { type AttentionNode, problemOf } from './problem';
import { type AttentionKernel, attentionDispatch, elementBytes, operands, result, seenShare } from './text';

interface Tile {
  readonly width: number;
  readonly height: number;
}

/** Quads of columns an invocation may hold in registers. */
const mostColumns = 8;

function gridOf(n: AttentionNode, t: Tunables) {
  const tile = t as unknown as Tile;
  const p = problemOf(n);
  const quads = ceilDiv(ceilDiv(p.valueDepth, 4), tile.width);
  const columnTiles = ceilDiv(quads, mostColumns);
  const rowTiles = ceilDiv(p.group * p.queries, 4 * tile.height);
  const items = p.batch * p.kvHeads * columnTiles * rowTiles;
  return { tile, p, columns: ceilDiv(quads, columnTiles), grid: { rowTiles, columnTiles, splits: 1, items } };
}

const rowLines = (t: Tile) => 4 * t.width * t.height;
const keyLines = (t: Tile) => 4 * t.width * t.width;

function stagedBytes(n: AttentionNode, t: Tile): number {
  const line = 4 * elementBytes(n);
  return line * (rowLines(t) + keyLines(t)) + 16 * rowLines(t) + 16 * t.width * t.height;
}

/** SwiftShader clears workgroup memory by straight-line code, so that each KiB takes 0.1 to 0.2 s to compile. */
const softwareStaging = 6144;

export const tile: AttentionKernel = {
  name: 'tile',
  space: { width: [8, 4, 16], height: [8, 4, 16] },
  legal(n, t, { limits, software }) {
    const own = t as unknown as Tile;
    const most = software ? softwareStaging : limits.maxComputeWorkgroupStorageSize;
    return stagedBytes(n, own) <= most && own.width * own.height <= limits.maxComputeInvocationsPerWorkgroup;
  },
  cost(n, t) {
    const { tile, p, columns, grid } = gridOf(n, t);
    const lanes = tile.width * tile.height;
    const steps = Math.ceil(ceilDiv(p.keys, 4 * tile.width) * seenShare(n, p));
    const depthRounds = ceilDiv(ceilDiv(p.depth, 4), tile.width);
    const line = 4 * elementBytes(n);
    const staged = steps * line * (depthRounds * (rowLines(tile) + keyLines(tile)) + columns * keyLines(tile));
    const perLane = depthRounds * tile.width * 8 * line + columns * tile.width * (4 * line + 64) + tile.width * 16;
    return {
      flops: grid.items * lanes * steps * (128 * tile.width * (depthRounds + columns) + 600),
      traffic: grid.items * staged,
      shared: grid.items * (staged + steps * lanes * perLane),
      cleared: grid.items * lanes * stagedBytes(n, tile),
      workgroups: grid.items,
    };
  },
  dispatches(n, t) {
    const { tile, p, columns, grid } = gridOf(n, t);
    return [
      attentionDispatch(n, grid, {
        label: 'Attention.tile',
        shader,
        parts: [operands(p), result(p), { text: `const COLUMNS = ${columns}u;`, bindings: {} }],
        constants: {
          WIDTH: tile.width,
          HEIGHT: tile.height,
          ROW_LINES: rowLines(tile),
          KEY_LINES: keyLines(tile),
          LANES: tile.width * tile.height,
        },
        workgroups: grid.items,
      }),
    ];
  },
};
