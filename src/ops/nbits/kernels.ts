// The variants of a product with quantised weights: `direct` for few rows (a row at a time is what generating text
// needs) and for adapters where workgroup memory is dear, `tiled` for many rows on a GPU.

import directText from '../../../shaders/nbits-direct.wgsl?raw';
import tiledText from '../../../shaders/nbits-tiled.wgsl?raw';
import { byteSize, deviceType } from '../../base/dtype';
import { ceilDiv } from '../../base/shape';
import type { Dispatch, Kernel } from '../../ir/kernel';
import { foldWorkgroups } from '../wgsl/dispatch';
import { type NBitsNode, type NBitsProblem, nbitsProblem } from './problem';
import { nbitsText } from './text';

type NBitsKernel = Kernel<NBitsNode['attributes']>;

/** Weights that are dequantised together. */
const chunkSize = 16;

/** The guaranteed number of storage buffers, less those of the kernel itself. */
const canRun = (n: NBitsNode) => n.operands.length + (n.has(3) ? 5 : 4) <= 8;
const epilogueAxis = (n: NBitsNode) => n.output(0).dims.length - 1;

/** Bytes that one invocation loads for a chunk of `columns` columns, scales and zero points included. */
const columnBytes = (p: NBitsProblem, columns: number) => columns * ((chunkSize * p.bits) / 8 + 8);
const rowBytes = (p: NBitsProblem, rows: number) => rows * chunkSize * byteSize(deviceType(p.dtype));

function dispatch(
  n: NBitsNode,
  p: NBitsProblem,
  grid: { rowTiles: number; columnTiles: number },
  variant: { label: string; text: string; constants?: Record<string, number> },
): Dispatch {
  const { text, bindings } = nbitsText(n, p);
  const workgroups = grid.rowTiles * grid.columnTiles;
  return {
    label: `MatMulNBits.${variant.label}`,
    wgsl: text + variant.text,
    ...(variant.constants && { constants: variant.constants }),
    bindings,
    uniforms: {
      m: p.m,
      n: p.n,
      k: p.k,
      chunks: ceilDiv(p.k, chunkSize),
      blocks: p.blocks,
      chunksPerBlock: p.blockSize / chunkSize,
      zeroBytes: p.zeroBytes,
      columnTiles: grid.columnTiles,
      workgroups,
    },
    workgroups: foldWorkgroups(workgroups),
  };
}

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
    return [dispatch(n, p, directGrid(p, tile), { label: 'direct', text: directText, constants })];
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
    return [dispatch(n, p, tiledGrid(p), { label: 'tiled', text: tiledText })];
  },
};

export const nbitsKernels: readonly NBitsKernel[] = [direct, tiled];
