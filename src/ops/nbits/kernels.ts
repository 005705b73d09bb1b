// The variants of a product with quantised weights. They are dequantised in registers by `direct` (few rows: one at a time
// is what generating text needs), by `tiled` (many rows on a GPU), by `row` and `quad` (an adapter that is a CPU); or
// once at load, and the product is a dense one. Where a node allows it, rows are quantised too, and multiplied as bytes.

import directText from '../../../shaders/nbits-direct.wgsl?raw';
import tiledText from '../../../shaders/nbits-tiled.wgsl?raw';
import sumsText from '../../../shaders/sliced-sums.wgsl?raw';
import { ceilDiv } from '../../base/shape';
import { denseKernels } from './dense';
import { nbitsDotKernels } from './dot4';
import { quad, row } from './packed';
import { chunkSize, type NBitsProblem, nbitsProblem } from './problem';
import { canRun, columnBytes, dispatch, epilogueAxis, type NBitsKernel, rowBytes } from './product';
import { sparseKernels } from './sparse';
import { nbitsText } from './text';

interface DirectTile {
  readonly slices: number;
  readonly quads: number;
  readonly rows: number;
}

const directGrid = (p: NBitsProblem, t: DirectTile) => ({
  rowTiles: ceilDiv(p.m, t.rows),
  columnTiles: ceilDiv(p.n, 4 * t.quads),
});

const direct: NBitsKernel = {
  name: 'direct',
  space: { slices: [32, 64, 16, 4, 1], quads: [2, 1, 4, 16, 64], rows: [1, 4] },
  epilogueAxis,
  when: canRun,
  legal(_, t, { software }) {
    const { slices, quads } = t as unknown as DirectTile;
    const lanes = slices * quads;
    return software ? lanes === 16 || lanes === 64 : lanes >= 64 && lanes <= 128;
  },
  cost(n, t) {
    const tile = t as unknown as DirectTile;
    const p = nbitsProblem(n);
    const { rowTiles, columnTiles } = directGrid(p, tile);
    const invocations = rowTiles * columnTiles * tile.slices * tile.quads;
    const steps = ceilDiv(ceilDiv(p.k, chunkSize), tile.slices);
    const sums = tile.slices > 1 ? invocations * tile.rows * 16 : 0;
    return {
      // Four columns: three operations to open a weight, two for each product.
      flops: invocations * steps * 4 * chunkSize * (3 + 2 * tile.rows),
      traffic: invocations * steps * (columnBytes(p, 4) + rowBytes(p, tile.rows)) + p.m * p.n * 4,
      shared: 4 * sums,
      cleared: sums * tile.slices * tile.quads,
      workgroups: rowTiles * columnTiles,
    };
  },
  dispatches(n, t) {
    const tile = t as unknown as DirectTile;
    const p = nbitsProblem(n);
    const lanes = tile.slices * tile.quads;
    const constants = {
      SLICES: tile.slices,
      QUADS: tile.quads,
      ROWS: tile.rows,
      LANES: lanes,
      SUMS: tile.slices > 1 ? lanes * tile.rows : 1,
    };
    return [
      dispatch(p, directGrid(p, tile), {
        label: 'direct',
        front: nbitsText(n, p),
        text: `alias number4 = vec4f;\n${sumsText}${directText}`,
        constants,
      }),
    ];
  },
};

/** Of nbits-tiled.wgsl. */
const tile = { rows: 32, columns: 64, invocations: 64, bytes: 6144 };

const tiledGrid = (p: NBitsProblem) => ({
  rowTiles: ceilDiv(p.m, tile.rows),
  columnTiles: ceilDiv(p.n, tile.columns),
});

const tiled: NBitsKernel = {
  name: 'tiled',
  epilogueAxis,
  when: canRun,
  cost(n) {
    const p = nbitsProblem(n);
    const { rowTiles, columnTiles } = tiledGrid(p);
    const steps = rowTiles * columnTiles * ceilDiv(p.k, chunkSize);
    return {
      flops: steps * chunkSize * tile.columns * (4 + 2 * tile.rows),
      traffic: steps * (columnBytes(p, tile.columns) + rowBytes(p, tile.rows)) + p.m * p.n * 4,
      shared: steps * (tile.bytes + tile.invocations * chunkSize * 4 * (4 + 8)),
      cleared: rowTiles * columnTiles * tile.invocations * tile.bytes,
      workgroups: rowTiles * columnTiles,
    };
  },
  dispatches(n) {
    const p = nbitsProblem(n);
    return [dispatch(p, tiledGrid(p), { label: 'tiled', front: nbitsText(n, p), text: tiledText })];
  },
};

export const nbitsKernels: readonly NBitsKernel[] = [
  direct,
  tiled,
  row,
  quad,
  ...nbitsDotKernels,
  ...denseKernels,
  ...sparseKernels,
];
