// The variants of a sparse product: for a vector one row an invocation or several invocations a row, for
// a matrix with entries staged or read in place.

import spmmDirectText from '../../../shaders/spmm-direct.wgsl?raw';
import spmmTileText from '../../../shaders/spmm-tile.wgsl?raw';
import spmvScalarText from '../../../shaders/spmv-scalar.wgsl?raw';
import spmvVectorText from '../../../shaders/spmv-vector.wgsl?raw';
import type { AdapterProfile } from '../../base/adapter';
import { byteSize, deviceType, isFloat } from '../../base/dtype';
import { ceilDiv } from '../../base/shape';
import type { Dispatch, Kernel, Operand, Tunables } from '../../ir/kernel';
import { foldWorkgroups, linearHelpers } from '../wgsl/dispatch';
import { elementAt, wordType } from '../wgsl/elements';
import { epilogue } from '../wgsl/epilogue';
import { type SparseAttributes, type SparseNode, type SparseProblem, sparseProblem } from './problem';

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

/** Text in front of every shader: types, `columnAt`, the result and its fused program. */
function front(n: SparseNode, resultType: string, lanes: 'same' | 'step'): Front {
  const elem = n.input(0).dtype === 'float16' ? 'f16' : 'f32';
  const indices = n.input(1).dtype;
  const tail = epilogue(n, 0, lanes, ownBuffers + 1);
  const text = `alias elem = ${elem};
alias elem4 = vec4<${elem}>;
${linearHelpers}
@group(0) @binding(1) var<storage, read> columnIndices: array<${wordType(indices)}>;
fn columnAt(i: u32) -> u32 { return u32(${elementAt(indices, 'columnIndices', 'i')}); }
@group(0) @binding(4) var<storage, read_write> result: array<${resultType}>;
${tail.text}
`;
  const bindings = {
    values: { input: 0 },
    columnIndices: { input: 1 },
    rowOffsets: { input: 2 },
    b: { input: 3 },
    result: { output: 0 },
    ...tail.bindings,
  };
  return { text, bindings };
}

function vectorFront(n: SparseNode): Front {
  const { text, bindings } = front(n, 'elem', 'step');
  const store = 'fn store(row: u32, v: f32) { result[row] = elem(epilogue(vec4f(v), row, row).x); }\n';
  return { text: text + store, bindings };
}

function matrixFront(n: SparseNode, p: SparseProblem): Front {
  const whole = p.n % 4 === 0;
  const unit = whole ? 'elem4' : 'elem';
  const { text, bindings } = front(n, unit, 'same');
  const read = whole ? 'b[at >> 2u]' : 'vec4<elem>(b[at], b[at + 1u], b[at + 2u], b[at + 3u])';
  const write = whole
    ? 'result[index >> 2u] = r;'
    : ['x', 'y', 'z', 'w']
        .map((lane, i) => `if (column + ${i}u < params.n) { result[index + ${i}u] = r.${lane}; }`)
        .join('\n  ');
  const functions = `@group(0) @binding(3) var<storage, read> b: array<${unit}>;
fn bQuad(at: u32) -> vec4f { return vec4f(${read}); }
fn store(row: u32, column: u32, v: vec4f) {
  if (row >= params.rows || column >= params.n) { return; }
  let index = row * params.n + column;
  let r = elem4(epilogue(v, index, row));
  ${write}
}
`;
  return { text: text + functions, bindings };
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
    return [dispatch('spmvVector', text + spmvVectorText, bindings, constants, { rows }, ceilDiv(rows, height))];
  },
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
        { rows: p.rows, n: p.n, columnTiles },
        workgroups,
      ),
    ];
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
    const uniforms = { rows: p.rows, n: p.n, rowTiles, columnTiles };
    return [dispatch('spmmTile', text + spmmTileText, bindings, constants, uniforms, workgroups)];
  },
};

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

export const sparseKernels: readonly SparseKernel[] = [spmvScalar, spmvVector, spmmTile, spmmDirect];
