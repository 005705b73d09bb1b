// The variants of a sparse product: for a vector one row an invocation, several invocations a row, or equal work wherever rows
// end; for a matrix with entries staged or read in place.

import spmmDirectText from '../../../shaders/spmm-direct.wgsl?raw';
import spmmSharedText from '../../../shaders/spmm-shared.wgsl?raw';
import spmmTileText from '../../../shaders/spmm-tile.wgsl?raw';
import spmvScalarText from '../../../shaders/spmv-scalar.wgsl?raw';
import spmvVectorText from '../../../shaders/spmv-vector.wgsl?raw';
import type { AdapterProfile } from '../../base/adapter';
import { byteSize, deviceType, isFloat } from '../../base/dtype';
import { ceilDiv } from '../../base/shape';
import type { Dispatch, Kernel, Operand, Tunables } from '../../ir/kernel';
import { foldWorkgroups, linearHelpers } from '../wgsl/dispatch';
import { elemAliases, elementAt, wordType } from '../wgsl/elements';
import { epilogue } from '../wgsl/epilogue';
import { enableShared } from './matrix';
import { mergeCost, mergeDispatches } from './merge';
import { type SparseAttributes, type SparseNode, type SparseProblem, sparseProblem } from './problem';
import { invocationFlops, turnFlops } from './weights';

type SparseKernel = Kernel<SparseAttributes>;

/** Storage buffers of the kernels themselves, which leave the rest to a fused program. */
const ownBuffers = 5;

function canRun(n: SparseNode, adapter: AdapterProfile): boolean {
  return isFloat(n.input(0).dtype) && ownBuffers + n.operands.length <= adapter.limits.maxStorageBuffersPerShaderStage;
}

const epilogueAxis = () => 0;

interface Front {
  readonly text: string;
  readonly bindings: Readonly<Record<string, Operand>>;
}

const typesText = (n: SparseNode) => elemAliases(n.input(0).dtype) + linearHelpers;

/** What stands in front of every shader: types, and how it reads the entries. */
function entriesFront(n: SparseNode): Front {
  const indices = n.input(1).dtype;
  const text = `${typesText(n)}
@group(0) @binding(0) var<storage, read> values: array<elem>;
@group(0) @binding(1) var<storage, read> columnIndices: array<${wordType(indices)}>;
@group(0) @binding(2) var<storage, read> rowOffsets: array<i32>;
fn valueAt(i: u32) -> f32 { return f32(values[i]); }
fn columnAt(i: u32) -> u32 { return u32(${elementAt(indices, 'columnIndices', 'i')}); }
fn rowStart(position: u32) -> u32 { return u32(rowOffsets[position]); }
`;
  return { text, bindings: { values: { input: 0 }, columnIndices: { input: 1 }, rowOffsets: { input: 2 } } };
}

/** The result and its fused program. */
function resultFront(n: SparseNode, resultType: string, lanes: 'same' | 'step'): Front {
  const tail = epilogue(n, 0, lanes, ownBuffers + 1);
  const text = `fn rowAt(position: u32) -> u32 { return position; }
@group(0) @binding(4) var<storage, read_write> result: array<${resultType}>;
${tail.text}
`;
  return { text, bindings: { result: { output: 0 }, ...tail.bindings } };
}

function rowResult(n: SparseNode): Front {
  const { text, bindings } = resultFront(n, 'elem', 'step');
  const store = 'fn store(row: u32, v: f32) { result[row] = elem(epilogue(vec4f(v), row, row).x); }\n';
  return { text: text + store, bindings };
}

function vectorFront(n: SparseNode): Front {
  const [entries, result] = [entriesFront(n), rowResult(n)];
  return {
    text: entries.text + result.text,
    bindings: { ...entries.bindings, dense: { input: 3 }, ...result.bindings },
  };
}

function matrixFront(n: SparseNode, p: SparseProblem): Front {
  const whole = p.n % 4 === 0;
  const unit = whole ? 'elem4' : 'elem';
  const [entries, result] = [entriesFront(n), resultFront(n, unit, 'same')];
  const read = whole ? 'b[at >> 2u]' : 'vec4<elem>(b[at], b[at + 1u], b[at + 2u], b[at + 3u])';
  const write = whole
    ? 'result[index >> 2u] = r;'
    : ['x', 'y', 'z', 'w']
        .map((lane, i) => `if (column + ${i}u < params.columns) { result[index + ${i}u] = r.${lane}; }`)
        .join('\n  ');
  const functions = `@group(0) @binding(3) var<storage, read> b: array<${unit}>;
fn denseQuad(plane: u32, row: u32, quad: u32) -> vec4f {
  let at = row * params.columns + 4u * quad;
  return vec4f(${read});
}
fn store(plane: u32, row: u32, column: u32, v: vec4f) {
  if (row >= params.rows || column >= params.columns) { return; }
  let index = row * params.columns + column;
  let r = elem4(epilogue(v, index, row));
  ${write}
}
`;
  return {
    text: entries.text + result.text + functions,
    bindings: { ...entries.bindings, b: { input: 3 }, ...result.bindings },
  };
}

/** Bytes that reading an entry takes: its value, and its column as a whole word. */
const entryBytes = (n: SparseNode) => byteSize(deviceType(n.input(0).dtype)) + 4;

/** Entries in a row, on average, and never none: an empty row is a turn of the loop too. */
const rowLength = (p: SparseProblem) => Math.max(1, p.entries / Math.max(1, p.rows));

const spmvScalar: SparseKernel = {
  name: 'spmv-scalar',
  space: { lanes: [64, 32] },
  epilogueAxis,
  when: (n, adapter) => canRun(n, adapter) && sparseProblem(n).n === 1,
  cost(n, t) {
    const p = sparseProblem(n);
    const workgroups = ceilDiv(p.rows, t.lanes as number);
    return {
      flops: 2 * p.rows * rowLength(p),
      // Neighbours read entries a row apart: a part of what a GPU fetches for them goes to waste.
      traffic: p.rows * (rowLength(p) * (1.5 * entryBytes(n) + byteSize(deviceType(n.input(0).dtype))) + 12),
      workgroups,
    };
  },
  dispatches(n, t) {
    const { rows } = sparseProblem(n);
    const lanes = t.lanes as number;
    const { text, bindings } = vectorFront(n);
    return [dispatch('spmvScalar', text + spmvScalarText, bindings, { LANES: lanes }, { rows }, ceilDiv(rows, lanes))];
  },
};

const spmvVector: SparseKernel = {
  name: 'spmv-vector',
  space: { lanes: [8, 4, 16, 32] },
  epilogueAxis,
  when: (n, adapter) => canRun(n, adapter) && sparseProblem(n).n === 1,
  cost(n, t) {
    const p = sparseProblem(n);
    const lanes = t.lanes as number;
    const steps = Math.ceil(rowLength(p) / lanes);
    return {
      flops: 2 * p.rows * steps * lanes,
      traffic: p.rows * (steps * lanes * (entryBytes(n) + byteSize(deviceType(n.input(0).dtype))) + 8 * lanes + 4),
      shared: p.rows * lanes * 4 * 4,
      cleared: p.rows * lanes * 64 * 4,
      workgroups: ceilDiv(p.rows * lanes, 64),
    };
  },
  dispatches(n, t) {
    const { rows } = sparseProblem(n);
    const lanes = t.lanes as number;
    const height = 64 / lanes;
    const { text, bindings } = vectorFront(n);
    const constants = { LANES: lanes, ROWS: height, SUMS: 64 };
    return [
      dispatch(
        'spmvVector',
        text + spmvVectorText,
        bindings,
        constants,
        { rows, first: 0, end: rows, alpha: 1 },
        ceilDiv(rows, height),
      ),
    ];
  },
};

const spmvMerge: SparseKernel = {
  name: 'spmv-merge',
  space: { items: [16, 32, 8] },
  epilogueAxis,
  when: (n, adapter) => canRun(n, adapter) && sparseProblem(n).n === 1,
  cost: (n, t) => mergeCost(mergeOf(n, t), byteSize(deviceType(n.input(0).dtype)), entryBytes(n)),
  dispatches: (n, t) =>
    mergeDispatches({
      ...mergeOf(n, t),
      owner: 'SparseMatMul.spmv',
      alpha: 1,
      front: entriesFront(n),
      dense: { input: 3 },
      plain: typesText(n),
      result: rowResult(n),
    }),
};

const mergeOf = (n: SparseNode, t: Tunables) => {
  const { rows, entries } = sparseProblem(n);
  return { rows, entries, items: t.items as number };
};

const spmmDirect: SparseKernel = {
  name: 'spmm-direct',
  space: { columnQuads: [2, 1, 4], lanes: [64, 32] },
  epilogueAxis,
  when: (n, adapter) => canRun(n, adapter) && sparseProblem(n).n > 1,
  cost(n, t) {
    const p = sparseProblem(n);
    const { columnTiles, workgroups } = directGrid(p, t);
    const invocations = p.rows * columnTiles;
    const bytes = byteSize(deviceType(n.input(0).dtype));
    return {
      flops: invocations * rowLength(p) * 8 * (t.columnQuads as number),
      traffic:
        invocations * (rowLength(p) * (entryBytes(n) + 4 * bytes * (t.columnQuads as number)) + 8) +
        bytes * p.rows * p.n,
      workgroups,
    };
  },
  dispatches(n, t) {
    const p = sparseProblem(n);
    const { columnTiles, workgroups } = directGrid(p, t);
    const { text, bindings } = matrixFront(n, p);
    const constants = { LANES: t.lanes as number, COLUMN_QUADS: t.columnQuads as number };
    return [
      dispatch(
        'spmmDirect',
        text + spmmDirectText,
        bindings,
        constants,
        { rows: p.rows, columns: p.n, columnTiles },
        workgroups,
      ),
    ];
  },
};

const spmmShared: SparseKernel = {
  name: 'spmm-shared',
  space: { columnQuads: [2, 1, 4], lanes: [64, 16] },
  epilogueAxis,
  when: (n, adapter) => adapter.features.includes('subgroups') && canRun(n, adapter) && sparseProblem(n).n > 8,
  legal: (n, t, { software }) => (t.columnQuads as number) * 8 <= sparseProblem(n).n && (software || t.lanes === 64),
  cost(n, t) {
    const p = sparseProblem(n);
    const columnQuads = t.columnQuads as number;
    const columnTiles = ceilDiv(p.n, 16 * columnQuads);
    const bytes = byteSize(deviceType(n.input(0).dtype));
    // Of four entries, by each of four neighbours.
    const turns = columnTiles * p.rows * Math.ceil(rowLength(p) / 4 + 0.375) * 4;
    return {
      flops: 32 * columnQuads * turns,
      emulated: turns * turnFlops(columnQuads) + columnTiles * p.rows * 4 * columnQuads * invocationFlops,
      traffic: turns * (entryBytes(n) + 16 * columnQuads * bytes) + bytes * p.rows * p.n,
      workgroups: ceilDiv(4 * p.rows, t.lanes as number) * columnTiles,
    };
  },
  dispatches(n, t) {
    const p = sparseProblem(n);
    const [columnQuads, lanes] = [t.columnQuads as number, t.lanes as number];
    const columnTiles = ceilDiv(p.n, 16 * columnQuads);
    const { text, bindings } = matrixFront(n, p);
    const constants = { LANES: lanes, COLUMN_QUADS: columnQuads };
    const uniforms = { rows: p.rows, columns: p.n, columnTiles, tiles: columnTiles, ...noBatch };
    const workgroups = ceilDiv(4 * p.rows, lanes) * columnTiles;
    return [dispatch('spmmShared', enableShared + text + spmmSharedText, bindings, constants, uniforms, workgroups)];
  },
};

function directGrid(p: SparseProblem, t: Tunables) {
  const columnTiles = ceilDiv(p.n, 4 * (t.columnQuads as number));
  return { columnTiles, workgroups: ceilDiv(p.rows * columnTiles, t.lanes as number) };
}

const spmmTile: SparseKernel = {
  name: 'spmm-tile',
  space: { width: [16, 8, 32], height: [4, 8, 2], columnQuads: [1, 2], chunk: [64, 128] },
  epilogueAxis,
  when: (n, adapter) => canRun(n, adapter) && sparseProblem(n).n > 1,
  legal: (_, t, adapter) => {
    const lanes = (t.width as number) * (t.height as number);
    return lanes >= 32 && lanes <= adapter.limits.maxComputeInvocationsPerWorkgroup;
  },
  cost(n, t) {
    const p = sparseProblem(n);
    const { columnTiles, workgroups } = tileGrid(p, t);
    const bytes = byteSize(deviceType(n.input(0).dtype));
    const quads = columnTiles * (t.width as number) * (t.columnQuads as number);
    const entries = p.rows * rowLength(p);
    return {
      flops: entries * quads * 8,
      traffic: entries * (columnTiles * entryBytes(n) + quads * 4 * bytes) + bytes * p.rows * p.n,
      shared: entries * 8 * (columnTiles + quads / (t.columnQuads as number)),
      cleared: workgroups * (t.width as number) * (t.height as number) * 8 * (t.chunk as number),
      workgroups,
    };
  },
  dispatches(n, t) {
    const p = sparseProblem(n);
    const { rowTiles, columnTiles, workgroups } = tileGrid(p, t);
    const { text, bindings } = matrixFront(n, p);
    const { width, height, columnQuads, chunk } = t as Record<string, number>;
    const constants = { WIDTH: width, HEIGHT: height, COLUMN_QUADS: columnQuads, CHUNK: chunk } as Record<
      string,
      number
    >;
    const uniforms = { rows: p.rows, columns: p.n, rowTiles, columnTiles, tiles: columnTiles, ...noBatch };
    return [dispatch('spmmTile', text + spmmTileText, bindings, constants, uniforms, workgroups)];
  },
};

/** Of spmm-tile.wgsl: one product, read through `denseQuad` of this file. */
const noBatch = { alpha: 1, quads: 0, planeQuads: 0 };

function tileGrid(p: SparseProblem, t: Tunables) {
  const rowTiles = ceilDiv(p.rows, t.height as number);
  const columnTiles = ceilDiv(p.n, 4 * (t.width as number) * (t.columnQuads as number));
  return { rowTiles, columnTiles, workgroups: rowTiles * columnTiles };
}

function dispatch(
  part: string,
  wgsl: string,
  bindings: Front['bindings'],
  constants: Record<string, number>,
  uniforms: Record<string, number>,
  workgroups: number,
): Dispatch {
  return { label: `SparseMatMul.${part}`, wgsl, bindings, constants, uniforms, workgroups: foldWorkgroups(workgroups) };
}

export const sparseKernels: readonly SparseKernel[] = [
  spmvScalar,
  spmvVector,
  spmvMerge,
  spmmShared,
  spmmTile,
  spmmDirect,
];
