// Products by weights of which every four elements along k have at most two that are not zero (2:4): the dense kernels without
// staging, whose 4×4 blocks of B are made in registers from half as many values and two bits for each that say where
// it stands.

import quadText from '../../../shaders/matmul-quad.wgsl?raw';
import packText from '../../../shaders/sparse-block-pairs-pack.wgsl?raw';
import rowText from '../../../shaders/sparse-block-pairs-row.wgsl?raw';
import type { AdapterProfile } from '../../base/adapter';
import { ceilDiv } from '../../base/shape';
import type { Cost, Dispatch, Operand, Tunables } from '../../ir/kernel';
import { packedRows } from '../matmul/packed';
import type { MatMulNode } from '../matmul/problem';
import {
  canRun,
  epilogueAxis,
  type Grid,
  kQuads,
  type MatMulKernel,
  problemOf,
  resultBytes,
  shapedDispatch,
  sumsFlops,
  workgroupsOf,
} from '../matmul/product';
import { frontText, storeText } from '../matmul/text';
import { linearHelpers, oneEach } from '../wgsl/dispatch';
import { quadRowPairs } from './blocks-pairs-rows';
import { fourText, fourType, putFourText, sourceText } from './bytes';
import { elementBytes, isOfBytes, openFlops, scalesOf, sparseWeights, valueSize } from './weights';

/** Storage buffers of the kernels themselves, with the scales of integers, which leave the rest to a fused program. */
const ownBuffers = (n: MatMulNode) => (isOfBytes(n) ? 5 : 4);

function canPair(n: MatMulNode, { limits }: AdapterProfile): boolean {
  if (!canRun(n) || ownBuffers(n) + n.operands.length > limits.maxStorageBuffersPerShaderStage) return false;
  const p = problemOf(n);
  const { pattern, dims } = n.input(p.b.input);
  if (!pattern || dims.length !== 2 || p.k === 0) return false;
  const { alongRow, alongColumn } = pattern.mostOfFour;
  const bytes = Math.max(valuesOf(n).bytes, packedRows(n, p).pack?.bytes ?? 0);
  return (p.b.transposed ? alongRow : alongColumn) <= 2 && bytes <= limits.maxStorageBufferBindingSize;
}

function sizesOf(n: MatMulNode) {
  const p = problemOf(n);
  return { kPairs: ceilDiv(kQuads(p, 1), 2), columnQuads: ceilDiv(p.n, 4) };
}

function valuesOf(n: MatMulNode) {
  const bytes = 8 * kQuads(problemOf(n), 1) * sizesOf(n).columnQuads * valueSize(n);
  return { scratch: 'pairs values', bytes } satisfies Operand;
}

function positionsOf(n: MatMulNode) {
  const { kPairs, columnQuads } = sizesOf(n);
  return { scratch: 'pairs positions', bytes: 4 * kPairs * columnQuads } satisfies Operand;
}

function packDispatch(n: MatMulNode): Dispatch {
  const p = problemOf(n);
  const { dtype } = n.input(p.b.input);
  const { kPairs, columnQuads } = sizesOf(n);
  const invocations = kPairs * columnQuads;
  const [kStep, columnStep] = p.b.transposed ? [1, sparseWeights(n)?.rowBytes ?? p.k] : [p.n, 1];
  const bytes = isOfBytes(n);
  return {
    label: 'MatMul.packPairs',
    wgsl: sourceText(dtype, bytes) + putFourText(bytes) + linearHelpers + packText,
    constants: { LANES: 64 },
    bindings: { source: { input: p.b.input }, positions: positionsOf(n), values: valuesOf(n) },
    uniforms: { k: p.k, n: p.n, kQuads: kQuads(p, 1), columnQuads, kStep, columnStep, invocations },
    workgroups: oneEach(invocations, 64),
    once: true,
  };
}

/** WGSL: `pairsAt(block)`, the first and the second values of four columns. */
const pairsText = (bytes: boolean, binding: number) => /* wgsl */ `
struct Pairs { lines: array<${fourType(bytes)}, 2> }
@group(0) @binding(1) var<storage, read> b: array<Pairs>;
fn pairsAt(block: u32) -> mat2x4f {
  let pairs = b[block];
  return mat2x4f(${fourText(bytes, 'pairs.lines[0]')}, ${fourText(bytes, 'pairs.lines[1]')});
}
@group(0) @binding(${binding}) var<storage, read> positions: array<u32>;
`;

/** WGSL of what the sums of four columns of integers are times. */
const columnScales = /* wgsl */ `
fn scalesAt(column: u32) -> vec4f {
  return vec4f(elem4(scales[column], scales[column + 1u], scales[column + 2u], scales[column + 3u]));
}
`;

/** The matrix is shared by the batch. A first value is never the last of its four along k, a second never the first. */
const blockText = /* wgsl */ `
fn bBlock(start: u32, kQuad: u32, columnQuad: u32) -> mat4x4f {
  let quads = (params.n + 3u) >> 2u;
  let pairs = pairsAt(kQuad * quads + columnQuad);
  let word = vec4u(positions[(kQuad >> 1u) * quads + columnQuad] >> ((kQuad & 1u) << 4u));
  let first = pairs[0];
  let second = pairs[1];
  let at0 = (word >> vec4u(0u, 2u, 4u, 6u)) & vec4u(3u);
  let at1 = (word >> vec4u(8u, 10u, 12u, 14u)) & vec4u(3u);
  let none = vec4f();
  return mat4x4f(
    select(none, first, at0 == vec4u(0u)),
    select(select(none, second, at1 == vec4u(1u)), first, at0 == vec4u(1u)),
    select(select(none, second, at1 == vec4u(2u)), first, at0 == vec4u(2u)),
    select(none, second, at1 == vec4u(3u)));
}
`;

interface Variant {
  readonly name: string;
  readonly enable?: string;
  readonly text: string;
  readonly constants: Tunables;
  readonly grid: Grid;
}

function dispatchesOf(n: MatMulNode, v: Variant): Dispatch[] {
  const p = problemOf(n);
  const bytes = isOfBytes(n);
  const tail = storeText(n, p, bytes ? 'params.alpha * scalesAt(column)' : undefined);
  const binding = 4 + n.operands.length;
  const scales = scalesOf(n, binding + 1);
  const a = packedRows(n, p);
  const product = shapedDispatch(n, { ...p, a: a.side }, v.grid, {
    label: `MatMul.${v.name}`,
    text: [
      v.enable ?? '',
      frontText(n.input(0).dtype),
      a.text,
      pairsText(bytes, binding),
      scales.text,
      bytes ? columnScales : '',
      tail.text,
      v.text,
    ].join('\n'),
    constants: v.constants,
    tail,
    operands: { a: a.operand, b: valuesOf(n) },
  });
  const bindings = { ...product.bindings, positions: positionsOf(n), ...scales.bindings };
  return [packDispatch(n), ...(a.pack ? [a.pack.dispatch] : []), { ...product, bindings }];
}

/** Operations that making a block from pairs, and picking elements for them, is worth on a software adapter. */
const unpackFlops = 350;
const pickFlops = 150;

interface Each {
  /** Rows of A that a block meets, and loads of their quads. */
  readonly rows: number;
  readonly loads: number;
  readonly columnQuads: number;
  readonly lanes: number;
  readonly unpack: number;
}

function costOf(n: MatMulNode, grid: Grid, each: Each): Cost {
  const p = problemOf(n);
  const bytes = elementBytes(n);
  const workgroups = workgroupsOf(p, grid);
  const steps = workgroups * each.lanes * kQuads(p, 1);
  const { pack } = packedRows(n, p);
  const everyRun = pack && !pack.dispatch.once ? pack.bytes : 0;
  return {
    flops: steps * 32 * each.rows * each.columnQuads,
    emulated: steps * each.columnQuads * ((sumsFlops * each.rows) / 4 + each.unpack + 8 * openFlops(n)),
    traffic:
      steps * (each.columnQuads * (8 * valueSize(n) + 2) + 4 * each.loads * bytes) + resultBytes(n, p) + 4 * everyRun,
    workgroups,
    dispatches: everyRun > 0 ? 2 : 1,
  };
}

const quadGrid = (n: MatMulNode, t: Tunables): Grid => {
  const p = problemOf(n);
  return {
    rowTiles: ceilDiv(p.m, 4 * (t.rowQuads as number)),
    columnTiles: ceilDiv(p.n, 4 * (t.lanes as number)),
    splits: 1,
  };
};

const quadPairs: MatMulKernel = {
  name: 'sparse-pairs-quad',
  sparse: true,
  space: { rowQuads: [4, 2, 1], lanes: [16, 64, 32, 4] },
  epilogueAxis,
  when: (n, adapter) => adapter.features.includes('subgroups') && canPair(n, adapter),
  legal: (_, t, adapter) => adapter.software || (t.lanes as number) >= 32,
  cost(n, t) {
    const [rowQuads, lanes] = [t.rowQuads as number, t.lanes as number];
    return costOf(n, quadGrid(n, t), {
      rows: 4 * rowQuads,
      loads: rowQuads,
      columnQuads: 1,
      lanes,
      unpack: unpackFlops,
    });
  },
  dispatches: (n, t) =>
    dispatchesOf(n, {
      name: 'pairsQuad',
      enable: 'enable subgroups;',
      text: blockText + quadText,
      constants: { ROW_QUADS: t.rowQuads as number, LANES: t.lanes as number },
      grid: quadGrid(n, t),
    }),
};

const rowGrid = (n: MatMulNode, t: Tunables): Grid => ({
  rowTiles: 1,
  columnTiles: ceilDiv(problemOf(n).n, 4 * (t.columnQuads as number) * (t.lanes as number)),
  splits: 1,
});

const rowPairs: MatMulKernel = {
  name: 'sparse-pairs-row',
  sparse: true,
  space: { columnQuads: [2, 1], lanes: [16, 64, 4] },
  epilogueAxis,
  when: (n, adapter) => adapter.software && canPair(n, adapter) && problemOf(n).m === 1,
  cost(n, t) {
    const [columnQuads, lanes] = [t.columnQuads as number, t.lanes as number];
    return costOf(n, rowGrid(n, t), { rows: 1, loads: 1, columnQuads, lanes, unpack: pickFlops });
  },
  dispatches: (n, t) =>
    dispatchesOf(n, {
      name: 'pairsRow',
      text: rowText,
      constants: { COLUMN_QUADS: t.columnQuads as number, LANES: t.lanes as number },
      grid: rowGrid(n, t),
    }),
};

export const pairKernels: readonly MatMulKernel[] = [quadPairs, quadRowPairs, rowPairs];
