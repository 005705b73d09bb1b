// Products of bytes by dot4I8Packed, which multiplies four at a time where WGSL has it. Rows and columns are read in chunks
// of sixteen numbers along k by text that the operator brings; of what a chunk of a row and one of a column give, sums are
// made: for a few rows with k shared out (`dot4-rows`), for many in tiles that are staged (`dot4-tile`).

import rowsText from '../../../shaders/dot4-rows.wgsl?raw';
import tileText from '../../../shaders/dot4-tile.wgsl?raw';
import sumsText from '../../../shaders/sliced-sums.wgsl?raw';
import type { AdapterProfile } from '../../base/adapter';
import { ceilDiv } from '../../base/shape';
import type { Dispatch, Kernel, Tunables } from '../../ir/kernel';
import type { NodeView } from '../../ir/node-view';

/** Numbers along k of a chunk. */
export const dotChunk = 16;

/** The extension of WGSL that has the instruction. */
export const packedDot = 'packed_4x8_integer_dot_product';

/** `dot16`, and the type of a sum. */
export const dotText = (sum: 'i32' | 'f32') => `
alias number = ${sum};
alias number4 = vec4<${sum}>;
fn dot16(a: vec4u, b: vec4u) -> i32 {
  return dot4I8Packed(a.x, b.x) + dot4I8Packed(a.y, b.y) + dot4I8Packed(a.z, b.z) + dot4I8Packed(a.w, b.w);
}
`;

export interface DotSizes {
  readonly m: number;
  readonly n: number;
  readonly chunks: number;
  /** Bytes loaded for a chunk of a row, of a column, and held for one of either in workgroup memory. */
  readonly rowBytes: number;
  readonly columnBytes: number;
  readonly stagedBytes: number;
  /** Operations to make a chunk of a column ready, and for what the dot products become before they are added. */
  readonly open: number;
  readonly term: number;
  /** Bytes of an element of the result. */
  readonly resultBytes: number;
  /** Work of dispatches before the product, in every run. */
  readonly before: { readonly dispatches: number; readonly flops: number; readonly traffic: number };
}

export interface DotGrid {
  readonly rowTiles: number;
  readonly columnTiles: number;
}

/** A variant of a product, as an operator completes it by its text, bindings and sizes. */
export interface DotVariant {
  readonly name: string;
  readonly grid: DotGrid;
  readonly text: string;
  readonly constants: Readonly<Record<string, number>>;
}

export interface DotProduct<A> {
  when(n: NodeView<A>, adapter: AdapterProfile): boolean;
  sizes(n: NodeView<A>): DotSizes;
  dispatches(n: NodeView<A>, variant: DotVariant): readonly Dispatch[];
  readonly shared: Pick<Kernel<A>, 'epilogueAxis' | 'converts'>;
}

/** Four instructions and three sums; on a software adapter every one of the four is spelled out. */
const dotFlops = 11;
const dotEmulated = 4 * 48;

interface RowsTile {
  readonly slices: number;
  readonly quads: number;
  readonly rows: number;
}

const rowsGrid = ({ m, n }: DotSizes, t: RowsTile): DotGrid => ({
  rowTiles: ceilDiv(m, t.rows),
  columnTiles: ceilDiv(n, 4 * t.quads),
});

const lanesOf = (t: RowsTile) => t.slices * t.quads;

function rowsKernel<A>(product: DotProduct<A>): Kernel<A> {
  const of = (t: Tunables) => t as unknown as RowsTile;
  return {
    ...product.shared,
    name: 'dot4-rows',
    space: { slices: [32, 64, 16, 4, 1], quads: [2, 1, 4, 16, 64], rows: [1, 4] },
    when: (n, adapter) => adapter.features.includes(packedDot) && product.when(n, adapter),
    legal(_, t, { software }) {
      const lanes = lanesOf(of(t));
      return software ? lanes === 16 || lanes === 64 : lanes >= 64 && lanes <= 128;
    },
    cost(n, t) {
      const [p, tile] = [product.sizes(n), of(t)];
      const { rowTiles, columnTiles } = rowsGrid(p, tile);
      const invocations = rowTiles * columnTiles * lanesOf(tile);
      const steps = invocations * ceilDiv(p.chunks, tile.slices);
      const sums = tile.slices > 1 ? invocations * tile.rows * 16 : 0;
      return {
        flops: steps * 4 * (p.open + tile.rows * (dotFlops + p.term)) + p.before.flops,
        emulated: steps * 4 * tile.rows * dotEmulated,
        traffic: steps * (4 * p.columnBytes + tile.rows * p.rowBytes) + p.m * p.n * p.resultBytes + p.before.traffic,
        shared: 4 * sums,
        cleared: sums * lanesOf(tile),
        workgroups: rowTiles * columnTiles,
        dispatches: 1 + p.before.dispatches,
      };
    },
    dispatches(n, t) {
      const tile = of(t);
      const lanes = lanesOf(tile);
      return product.dispatches(n, {
        name: 'dot4Rows',
        grid: rowsGrid(product.sizes(n), tile),
        text: sumsText + rowsText,
        constants: {
          SLICES: tile.slices,
          QUADS: tile.quads,
          ROWS: tile.rows,
          LANES: lanes,
          SUMS: tile.slices > 1 ? lanes * tile.rows : 1,
        },
      });
    },
  };
}

/** Of dot4-tile.wgsl: rows of a row quad and columns of a tile, invocations, chunks that are staged at once. */
const tile = { side: 32, invocations: 64, chunks: 2 };

const tileGrid = ({ m, n }: DotSizes, rowQuads: number): DotGrid => ({
  rowTiles: ceilDiv(m, tile.side * rowQuads),
  columnTiles: ceilDiv(n, tile.side),
});

function tileKernel<A>(product: DotProduct<A>): Kernel<A> {
  return {
    ...product.shared,
    name: 'dot4-tile',
    space: { rowQuads: [2, 1] },
    when: (n, adapter) => adapter.features.includes(packedDot) && product.when(n, adapter) && product.sizes(n).m > 4,
    cost(n, { rowQuads = 2 }) {
      const p = product.sizes(n);
      const { rowTiles, columnTiles } = tileGrid(p, rowQuads);
      const rows = tile.side * rowQuads;
      const steps = rowTiles * columnTiles * ceilDiv(p.chunks, tile.chunks);
      const staged = tile.chunks * (rows + tile.side);
      const terms = steps * tile.chunks * rows * tile.side;
      return {
        flops: terms * (dotFlops + p.term) + steps * tile.chunks * tile.side * p.open + p.before.flops,
        emulated: terms * dotEmulated,
        traffic:
          steps * tile.chunks * (tile.side * p.columnBytes + rows * p.rowBytes) +
          p.m * p.n * p.resultBytes +
          p.before.traffic,
        shared: steps * p.stagedBytes * (staged + tile.invocations * tile.chunks * (4 + 4 * rowQuads)),
        cleared: rowTiles * columnTiles * tile.invocations * staged * p.stagedBytes,
        workgroups: rowTiles * columnTiles,
        dispatches: 1 + p.before.dispatches,
      };
    },
    dispatches: (n, { rowQuads = 2 }) =>
      product.dispatches(n, {
        name: 'dot4Tile',
        grid: tileGrid(product.sizes(n), rowQuads),
        text: tileText,
        constants: { ROW_QUADS: rowQuads, ROW_TILE: tile.chunks * tile.side * rowQuads },
      }),
  };
}

export const dotKernels = <A>(product: DotProduct<A>): readonly Kernel<A>[] => [
  rowsKernel(product),
  tileKernel(product),
];
