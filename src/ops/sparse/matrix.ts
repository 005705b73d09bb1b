// Sparse weights times a matrix. `slices`: one row an invocation, `shared`: four invocations a row that share its entries through
// subgroups, neither with any staging: the choice of software adapters; `tile`: entries staged through workgroup memory.

import sharedText from '../../../shaders/spmm-shared.wgsl?raw';
import slicesText from '../../../shaders/spmm-slices.wgsl?raw';
import tileText from '../../../shaders/spmm-tile.wgsl?raw';
import { ceilDiv } from '../../base/shape';
import type { Cost, Dispatch, Tunables } from '../../ir/kernel';
import type { MatMulNode } from '../matmul/problem';
import { epilogueAxis, type MatMulKernel } from '../matmul/product';
import { foldWorkgroups } from '../wgsl/dispatch';
import { entriesText, entryQuadsText, type Packed, packSlices, rowAtText, slicesOf } from './pack';
import {
  canRun,
  denseRows,
  elementBytes,
  entryBytes,
  frontText,
  invocationFlops,
  isVector,
  openFlops,
  packedBindings,
  storeColumns,
  turnFlops,
  weightsOf,
} from './weights';

const quadsOf = (n: MatMulNode) => ceilDiv(weightsOf(n).columns, 4);

/** How many times the columns of a product, and those of a batch, are cut into tiles of so many quads. */
function tilesOf(n: MatMulNode, quads: number) {
  const columnTiles = ceilDiv(quadsOf(n), quads);
  return { columnTiles, tiles: columnTiles * weightsOf(n).batch };
}

/** What a run costs beyond the product itself: storing the result, and packing the dense operand. */
function aroundCost(n: MatMulNode) {
  const p = weightsOf(n);
  const { pack } = denseRows(n, p);
  return {
    // A pack loads one element at a time and stores four.
    traffic: elementBytes(n) * p.rows * p.columns * p.batch + 4 * (pack?.bytes ?? 0),
    dispatches: pack ? 2 : 1,
  };
}

interface Variant {
  readonly part: string;
  readonly slice: number;
  /** Of one tile of columns. */
  readonly quads: number;
  readonly text: (packed: Packed, store: string) => string;
  readonly constants: Tunables;
  /** Workgroups of one tile of columns. */
  readonly workgroups: number;
}

function dispatchesOf(n: MatMulNode, v: Variant): Dispatch[] {
  const p = weightsOf(n);
  const packed = packSlices(n, { ...p, slice: v.slice });
  const tail = storeColumns(n, p);
  const { columnTiles, tiles } = tilesOf(n, v.quads);
  const { operand, quads, planeQuads, pack } = denseRows(n, p);
  return [
    packed.dispatch,
    ...(pack ? [pack.dispatch] : []),
    {
      label: `MatMul.sparseMatrix${v.part}`,
      wgsl: v.text(packed, tail.text),
      constants: v.constants,
      bindings: { ...packedBindings(packed), dense: operand, ...tail.bindings },
      uniforms: {
        ...{ rows: p.rows, slices: packed.slices, alpha: n.attributes.alpha },
        ...{ columns: p.columns, quads, planeQuads, columnTiles, tiles },
        rowTiles: v.workgroups,
      },
      workgroups: foldWorkgroups(v.workgroups * tiles),
    },
  ];
}

const canMultiply: NonNullable<MatMulKernel['when']> = (n, adapter) => canRun(n, adapter) && !isVector(n);

export const matrixSlices: MatMulKernel = {
  name: 'sparse-matrix-slices',
  sparse: true,
  space: { columnQuads: [2, 1, 4], lanes: [16, 4] },
  epilogueAxis,
  // Neighbours read rows of the dense matrix that are far apart.
  when: (n, adapter) => adapter.software && canMultiply(n, adapter),
  legal: (n, t) => (t.columnQuads as number) < 2 * quadsOf(n),
  cost(n, t) {
    const { pattern, along } = weightsOf(n);
    const { quads, slices } = slicesOf(pattern, along, 4);
    const columnQuads = t.columnQuads as number;
    const { tiles } = tilesOf(n, columnQuads);
    const around = aroundCost(n);
    return {
      flops: 32 * columnQuads * quads * tiles,
      emulated:
        tiles * (quads * (turnFlops(columnQuads) + 4 * openFlops(n)) + slices * 4 * columnQuads * invocationFlops),
      traffic: tiles * quads * 4 * (entryBytes(n) + 4 * columnQuads * elementBytes(n)) + around.traffic,
      workgroups: tiles * ceilDiv(slices * 4, t.lanes as number),
      dispatches: around.dispatches,
    };
  },
  dispatches(n, t) {
    const [columnQuads, lanes] = [t.columnQuads as number, t.lanes as number];
    return dispatchesOf(n, {
      part: 'Slices',
      slice: 4,
      quads: columnQuads,
      text: (packed, store) => frontText(n) + entryQuadsText(packed) + store + slicesText,
      constants: { SLICE: 4, LANES: lanes, COLUMN_QUADS: columnQuads },
      workgroups: ceilDiv(4 * ceilDiv(weightsOf(n).rows, 4), lanes),
    });
  },
};

const denseText = /* wgsl */ `@group(0) @binding(3) var<storage, read> dense: array<elem4>;
fn denseQuad(plane: u32, row: u32, quad: u32) -> vec4f {
  return vec4f(dense[plane * params.planeQuads + row * params.quads + min(quad, params.quads - 1u)]);
}
`;

/** What stands before all else in spmm-shared.wgsl. */
export const enableShared =
  'enable subgroups;\n// Four neighbours have one row, so that the turns of its loop are the same for them.\ndiagnostic(off, subgroup_uniformity);\n';

export const matrixShared: MatMulKernel = {
  name: 'sparse-matrix-shared',
  sparse: true,
  space: { columnQuads: [2, 1, 4], lanes: [64, 16] },
  epilogueAxis,
  when: (n, adapter) => adapter.features.includes('subgroups') && canMultiply(n, adapter),
  legal: (n, t, { software }) => (t.columnQuads as number) * 2 <= quadsOf(n) && (software || t.lanes === 64),
  cost(n, t) {
    const { pattern, along, rows } = weightsOf(n);
    const { quads } = slicesOf(pattern, along, 1);
    const columnQuads = t.columnQuads as number;
    const { tiles } = tilesOf(n, 4 * columnQuads);
    const around = aroundCost(n);
    const turns = tiles * quads * 4;
    return {
      flops: 32 * columnQuads * turns,
      emulated: turns * (turnFlops(columnQuads) + openFlops(n)) + tiles * rows * 4 * columnQuads * invocationFlops,
      // A column is loaded with its neighbour's.
      traffic: turns * (entryBytes(n) + 2 + 16 * columnQuads * elementBytes(n)) + around.traffic,
      workgroups: tiles * ceilDiv(4 * rows, t.lanes as number),
      dispatches: around.dispatches,
    };
  },
  dispatches(n, t) {
    const [columnQuads, lanes] = [t.columnQuads as number, t.lanes as number];
    return dispatchesOf(n, {
      part: 'Shared',
      slice: 1,
      quads: 4 * columnQuads,
      text: (packed, store) =>
        enableShared + frontText(n) + entriesText(packed) + rowAtText + denseText + store + sharedText,
      constants: { LANES: lanes, COLUMN_QUADS: columnQuads },
      workgroups: ceilDiv(4 * weightsOf(n).rows, lanes),
    });
  },
};

interface Tile {
  readonly width: number;
  readonly height: number;
  readonly columnQuads: number;
  readonly chunk: number;
}

export const matrixTile: MatMulKernel = {
  name: 'sparse-matrix-tile',
  sparse: true,
  space: { width: [16, 8, 32], height: [4, 8, 2], columnQuads: [1, 2], chunk: [64, 128] },
  epilogueAxis,
  when: canMultiply,
  legal(n, t, { limits }) {
    const { width, height } = t as unknown as Tile;
    const lanes = width * height;
    return lanes >= 32 && lanes <= limits.maxComputeInvocationsPerWorkgroup && (width === 8 || width < 2 * quadsOf(n));
  },
  cost(n, t): Cost {
    const { width, height, columnQuads, chunk } = t as unknown as Tile;
    const { pattern, along, rows } = weightsOf(n);
    const slices = slicesOf(pattern, along, 1);
    const { tiles } = tilesOf(n, width * columnQuads);
    const around = aroundCost(n);
    const workgroups = tiles * ceilDiv(rows, height);
    const entries = 4 * slices.quads * tiles;
    return {
      flops: 8 * entries * width * columnQuads,
      emulated: entries * (width * turnFlops(columnQuads) + openFlops(n)),
      // Rows of the dense matrix come in no order.
      traffic: entries * (entryBytes(n) + 1.5 * width * columnQuads * 4 * elementBytes(n)) + around.traffic,
      shared: entries * 8 * (1 + width),
      cleared: workgroups * width * height * 8 * chunk,
      workgroups,
      dispatches: around.dispatches,
    };
  },
  dispatches(n, t) {
    const { width, height, columnQuads, chunk } = t as unknown as Tile;
    return dispatchesOf(n, {
      part: 'Tile',
      slice: 1,
      quads: width * columnQuads,
      text: (packed, store) => frontText(n) + entriesText(packed) + rowAtText + denseText + store + tileText,
      constants: { WIDTH: width, HEIGHT: height, COLUMN_QUADS: columnQuads, CHUNK: chunk },
      workgroups: ceilDiv(weightsOf(n).rows, height),
    });
  },
};
