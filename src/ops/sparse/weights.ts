// A matrix product one of whose operands is a constant that is mostly zeros, as sparse kernels see it: the rows of a sparse
// matrix times a dense one whose rows are quads of columns.

import type { AdapterProfile } from '../../base/adapter';
import { byteSize, deviceType, isFloat } from '../../base/dtype';
import { ceilDiv } from '../../base/shape';
import type { Operand } from '../../ir/kernel';
import type { Pattern } from '../../ir/pattern';
import { type Pack, packedRows } from '../matmul/packed';
import { batchSize, kernelProblem, type MatMulNode, type Problem, type Side } from '../matmul/problem';
import { linearHelpers } from '../wgsl/dispatch';
import { elemAliases } from '../wgsl/elements';
import { epilogue } from '../wgsl/epilogue';
import { openingFlops } from './bytes';
import { type Along, fitsBinding, narrow, type Packed } from './pack';

export interface SparseWeights {
  readonly input: number;
  readonly pattern: Pattern;
  readonly along: Along;
  /** Of the sparse matrix: rows of the result, or its columns where `turned`. */
  readonly rows: number;
  readonly length: number;
  /** Columns of the dense matrix. */
  readonly columns: number;
  /** Products that share the weights. */
  readonly batch: number;
  /** The weights are the second operand: the result lies as [columns, rows]. */
  readonly turned: boolean;
  /** Of integers that input 2 has a scale for by row, the bytes from one row to the next (see Packing). */
  readonly rowBytes?: number;
  /** The dense operand as [length, columns], transposed where it lies as [columns, length]. */
  readonly dense: Side;
}

/** Storage buffers of the kernels themselves, which leave the rest to a fused program. */
const ownBuffers = 5;

/** Where the bindings of a fused program begin: behind the parameters, and the scales of integers. */
const tailBinding = (n: MatMulNode) => ownBuffers + (isOfBytes(n) ? 2 : 1);

/** Rows of fewer elements than this may be packed into more than they had. */
const shortest = 8;
/** A row of more would take one invocation too long to pack. */
const longest = 1 << 17;

const found = new WeakMap<MatMulNode, SparseWeights | 'none'>();

/** Undefined where neither operand has a pattern that kernels can use. */
export function sparseWeights(n: MatMulNode): SparseWeights | undefined {
  let weights = found.get(n);
  if (!weights) {
    weights = readWeights(n) ?? 'none';
    found.set(n, weights);
  }
  return weights === 'none' ? undefined : weights;
}

/** Says of a node, before anything else is asked of it, that its weights are bytes with a scale for each row as a third input. */
export function ofBytes(n: MatMulNode, rowBytes: number): MatMulNode {
  const weights = readWeights(n);
  found.set(n, weights ? { ...weights, rowBytes } : 'none');
  return n;
}

function readWeights(n: MatMulNode): SparseWeights | undefined {
  if (!isFloat(n.input(0).dtype)) return undefined;
  const p = kernelProblem(n);
  if (!p || p.batch.length > 1 || p.k < shortest || p.k > longest) return undefined;
  const ofB = patternOf(p.b);
  if (ofB && p.batch.length === 0) {
    const dense = { ...p.a, transposed: !p.a.transposed };
    return { ...shared(p, p.b, ofB), along: p.b.transposed ? 'rows' : 'columns', columns: p.m, turned: true, dense };
  }
  const ofA = patternOf(p.a);
  if (!ofA || p.m === 1) return undefined;
  return {
    ...shared(p, p.a, ofA),
    along: p.a.transposed ? 'columns' : 'rows',
    columns: p.n,
    turned: false,
    dense: p.b,
  };

  function patternOf(side: Side): Pattern | undefined {
    const { pattern, dims } = n.input(side.input);
    return dims.length === 2 ? pattern : undefined;
  }
  function shared({ k, m, n: columns }: Problem, side: Side, pattern: Pattern) {
    const rows = side === p?.b ? columns : m;
    return { input: side.input, pattern, rows, length: k, batch: batchSize(p as Problem) };
  }
}

export function canRun(n: MatMulNode, { limits }: AdapterProfile): boolean {
  const p = sparseWeights(n);
  if (!p) return false;
  const most = Math.min(limits.maxBufferSize, limits.maxStorageBufferBindingSize);
  return (
    tailBinding(n) - 1 + n.operands.length <= limits.maxStorageBuffersPerShaderStage &&
    fitsBinding(p, valueSize(n), most)
  );
}

/** The weights of a node that `canRun` has let pass. */
export function weightsOf(n: MatMulNode): SparseWeights {
  return sparseWeights(n) ?? n.fail('has no sparse weights');
}

export const isVector = (n: MatMulNode) => weightsOf(n).columns * weightsOf(n).batch === 1;

export interface DenseRows {
  readonly operand: Operand;
  /** Quads of a row, and from one of the batch to the next. */
  readonly quads: number;
  readonly planeQuads: number;
  /** Where the dense operand has to be packed first. */
  readonly pack?: Pack;
}

/** The dense operand as [batch, length, quads]. */
export function denseRows(n: MatMulNode, p: SparseWeights): DenseRows {
  const quads = ceilDiv(p.columns, 4);
  // Columns of which no kernel would read a ragged operand where it lies.
  const problem: Problem = {
    m: p.length,
    k: p.columns,
    n: Number.POSITIVE_INFINITY,
    batch: [],
    a: p.dense,
    b: p.dense,
  };
  const { operand, side, pack } = packedRows(n, problem);
  return { operand, quads, planeQuads: (side.steps[0] ?? 0) / 4, ...(pack && { pack }) };
}

type Bindings = Readonly<Record<string, Operand>>;

/** WGSL of the scales of integers, where there are such. */
export function scalesOf(n: MatMulNode, binding: number): { readonly text: string; readonly bindings: Bindings } {
  if (!isOfBytes(n)) return { text: '', bindings: {} };
  return {
    text: `@group(0) @binding(${binding}) var<storage, read> scales: array<elem>;\n`,
    bindings: { scales: { input: 2 } },
  };
}

/** WGSL of what a row's sum is times, and of the scales at binding 6. */
function factorOf(n: MatMulNode) {
  const factor = isOfBytes(n) ? '(params.alpha * f32(scales[row]))' : 'params.alpha';
  return { ...scalesOf(n, ownBuffers + 1), factor };
}

/** WGSL of the bindings 4 and from 6 on: `store(plane, row, column, v)` of four columns of a row of the sparse product. */
export function storeColumns(n: MatMulNode, p: SparseWeights) {
  const { text: scales, factor, bindings } = factorOf(n);
  const scaled = n.attributes.alpha === 1 && !isOfBytes(n) ? 'v' : `${factor} * v`;
  const whole = !p.turned && p.columns % 4 === 0;
  const step = p.turned ? 'params.rows' : '1u';
  const tail = epilogue(n, n.output(0).dims.length - 1, p.turned ? { apart: step } : 'step', tailBinding(n));
  const lanes = ['x', 'y', 'z', 'w'].map(
    (lane, i) => `if (column + ${i}u < params.columns) { result[index + ${i}u * ${step}] = r.${lane}; }`,
  );
  const place = p.turned
    ? '(plane * params.columns + column) * params.rows + row'
    : '(plane * params.rows + row) * params.columns + column';
  const text = `${scales}${tail.text}
@group(0) @binding(4) var<storage, read_write> result: array<${whole ? 'elem4' : 'elem'}>;
fn store(plane: u32, row: u32, column: u32, v: vec4f) {
  if (row >= params.rows || column >= params.columns) { return; }
  let index = ${place};
  let r = elem4(epilogue(${scaled}, index, ${p.turned ? 'row' : 'column'}));
  ${whole ? 'result[index >> 2u] = r;' : lanes.join('\n  ')}
}
`;
  return { text, bindings: { result: { output: 0 }, ...bindings, ...tail.bindings } as Bindings };
}

/** As storeColumns, for a vector: `store(row, v)` of one result. */
export function storeRow(n: MatMulNode) {
  const tail = epilogue(n, n.output(0).dims.length - 1, { apart: '0u' }, tailBinding(n));
  const { text: scales, factor, bindings } = factorOf(n);
  const text = `${scales}${tail.text}
@group(0) @binding(4) var<storage, read_write> result: array<elem>;
fn store(row: u32, v: f32) {
  if (row < params.rows) { result[row] = elem(epilogue(vec4f(${factor} * v), row, row).x); }
}
`;
  return { text, bindings: { result: { output: 0 }, ...bindings, ...tail.bindings } as Bindings };
}

/** Operations that an invocation is worth on a software adapter. */
export const invocationFlops = 200;

/** And a turn of its loop over four entries, beside the products: what does not fit a CPU's registers comes and goes. */
export const turnFlops = (columnQuads: number) => 160 + 45 * columnQuads ** 2;

export const elementBytes = (n: MatMulNode) => byteSize(deviceType(n.input(0).dtype));

/** Whether values are packed as int8. */
export const isOfBytes = (n: MatMulNode) => sparseWeights(n)?.rowBytes !== undefined;

/** Bytes of a packed value. */
export const valueSize = (n: MatMulNode) => (isOfBytes(n) ? 1 : elementBytes(n));

/** Operations that making a float of a packed value is worth on a software adapter. */
export const openFlops = (n: MatMulNode) => (isOfBytes(n) ? openingFlops : 0);

/** Bytes of an entry's value and column. */
export const entryBytes = (n: MatMulNode) => valueSize(n) + (weightsOf(n).length > narrow ? 4 : 2);

/** What every shader has in front. */
export const frontText = (n: MatMulNode) => elemAliases(n.input(0).dtype) + linearHelpers;

export const packedBindings = ({ values, columns, tableOperand }: Packed) => ({ values, columns, table: tableOperand });
