// MatMulInteger by dot4I8Packed for rows times a constant matrix: its columns are packed at load, sixteen k side by side,
// and rows are read as they lie. Put right are, with a and w the zero points of row and column,
//   sum (x - a)(y - w) = sum x y - w sum x - a (sum y - k w),
// the first two terms chunk by chunk, the last one at the end, from sums that are made at load.

import columnSumsText from '../../../shaders/dot4-column-sums.wgsl?raw';
import columnsText from '../../../shaders/dot4-columns.wgsl?raw';
import { ceilDiv } from '../../base/shape';
import type { Dispatch, Operand } from '../../ir/kernel';
import type { NodeView } from '../../ir/node-view';
import { type DotProduct, type DotSizes, dotChunk, dotKernels, dotText } from '../dot4/kernels';
import { foldWorkgroups, linearHelpers, oneEach } from '../wgsl/dispatch';
import { elementAt, packQuad, quadType, wordsPerQuad, wordType } from '../wgsl/elements';
import { epilogue } from '../wgsl/epilogue';
import { type ZeroPoint, zeroPoint } from './zero-point';

const workgroup = 64;

interface Layout {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly chunks: number;
}

/** Sizes where B is one matrix and rows of A lie behind each other; undefined elsewhere. */
function layoutOf(n: NodeView): Layout | undefined {
  if (n.input(1).dims.length !== 2) return undefined;
  const [k, columns] = n.input(1).dims as [number, number];
  const m = n
    .input(0)
    .dims.slice(0, -1)
    .reduce((size, d) => size * d, 1);
  return m * k * columns > 0 ? { m, n: columns, k, chunks: ceilDiv(k, dotChunk) } : undefined;
}

const xZeroOf = (n: NodeView) => zeroPoint(n, 'xZero', 4, 0, 2);
const wZeroOf = (n: NodeView) => zeroPoint(n, 'wZero', 5, 1, 3);

const params = /* wgsl */ `
struct Params { m: u32, n: u32, k: u32, chunks: u32, columnTiles: u32, workgroups: u32, xZeros: u32, wZeros: u32 }
@group(0) @binding(3) var<uniform> params: Params;
`;

/** `wordsAt`: sixteen bytes of a row, 0 past k, unsigned ones shifted by 128 into the range of signed ones. */
function rowWordsText(k: number, unsigned: boolean): string {
  const shift = unsigned ? ' ^ vec4u(0x80808080u)' : '';
  if (k % dotChunk === 0) {
    return `
@group(0) @binding(0) var<storage, read> a: array<vec4u>;
fn wordsAt(row: u32, chunk: u32) -> vec4u { return a[row * params.chunks + chunk]${shift}; }
`;
  }
  return `
@group(0) @binding(0) var<storage, read> a: array<u32>;
fn wordsAt(row: u32, chunk: u32) -> vec4u {
  let start = row * params.k + ${dotChunk}u * chunk;
  let w = start >> 2u;
  let bits = vec4u(8u * (start & 3u));
  let five = array<u32, 5>(a[w], a[w + 1u], a[w + 2u], a[w + 3u], a[w + 4u]);
  let low = vec4u(five[0], five[1], five[2], five[3]) >> bits;
  let high = (vec4u(five[1], five[2], five[3], five[4]) << vec4u(1u)) << (vec4u(31u) - bits);
  let left = clamp(vec4i(i32(params.k - ${dotChunk}u * chunk)) - vec4i(0, 4, 8, 12), vec4i(), vec4i(4));
  let inside = select(vec4u(0xffffffffu), (vec4u(1u) << (8u * vec4u(left & vec4i(3)))) - 1u, left < vec4i(4));
  return ((low | high)${shift}) & inside;
}
`;
}

/** Rows and columns for dot4-rows.wgsl and dot4-tile.wgsl; sums of rows only where columns have a zero point. */
function readsText({ k }: Layout, unsigned: boolean, wZero: ZeroPoint): string {
  const packed = 'weights[column * params.chunks + chunk]';
  const [row, column, term] = wZero.mayDiffer
    ? [
        ['sum: i32', 'words, dot16(words, vec4u(0x01010101u))'],
        ['zero: i32', `${packed}, wZeroAt(column % params.wZeros)`],
        ' - column.zero * row.sum',
      ]
    : [['', 'words'], ['', packed], ''];
  return `${wZero.mayDiffer ? wZero.text : ''}${dotText('i32')}${rowWordsText(k, unsigned)}
@group(0) @binding(1) var<storage, read> weights: array<vec4u>;
struct Row { words: vec4u, ${row[0]} }
struct Column { words: vec4u, ${column[0]} }
fn rowAt(number: u32, chunk: u32) -> Row {
  let words = wordsAt(min(number, params.m - 1u), chunk);
  return Row(${row[1]});
}
fn columnAt(number: u32, chunk: u32) -> Column {
  let column = min(number, params.n - 1u);
  return Column(${column[1]});
}
fn term(row: Row, column: Column) -> i32 { return dot16(row.words, column.words)${term}; }
`;
}

/** Whether four neighbouring results are a quad of the result. */
const inQuads = ({ m, n }: Layout) => n % 4 === 0 || m === 1;

function storeText(n: NodeView, layout: Layout, xZero: ZeroPoint): string {
  const { dtype } = n.output(0);
  const whole = inQuads(layout);
  const store = whole
    ? `y[index >> 2u] = ${packQuad(dtype, 'r')};`
    : 'for (var lane = 0u; lane < min(4u, params.n - column); lane++) { y[index + lane] = r[lane]; }';
  return `${xZero.text}
@group(0) @binding(2) var<storage, read_write> y: array<${whole ? quadType(dtype) : wordType(dtype)}>;
@group(0) @binding(6) var<storage, read> columnSums: array<i32>;
fn store(row: u32, column: u32, v: vec4i) {
  if (row >= params.m || column >= params.n) { return; }
  let at = min(vec4u(column) + vec4u(0u, 1u, 2u, 3u), vec4u(params.n - 1u));
  let sums = vec4i(columnSums[at.x], columnSums[at.y], columnSums[at.z], columnSums[at.w]);
  let index = row * params.n + column;
  let r = epilogue(v - xZeroAt(row % params.xZeros) * sums, index, column);
  ${store}
}
`;
}

/** The columns packed, and their sums. */
function packing(n: NodeView, { n: columns, k, chunks }: Layout, wZero: ZeroPoint) {
  const words = 4 * chunks;
  const packed: Operand = { scratch: 'columns', bytes: 4 * words * columns };
  const sums: Operand = { scratch: 'columnSums', bytes: 16 * ceilDiv(columns, 4) };
  const shift = n.input(1).dtype === 'uint8' ? ' ^ 0x80u' : '';
  const pack: Dispatch = {
    label: 'MatMulInteger.columns',
    wgsl: `${linearHelpers}
@group(0) @binding(0) var<storage, read> source: array<u32>;
fn element(at: u32) -> u32 { return ${elementAt('uint8', 'source', 'at')}${shift}; }
${columnsText}`,
    constants: { WORKGROUP: workgroup },
    bindings: { source: { input: 1 }, packed },
    uniforms: { k, columns, words },
    workgroups: oneEach(words * columns, workgroup),
    once: true,
  };
  const sum: Dispatch = {
    label: 'MatMulInteger.columnSums',
    wgsl: linearHelpers + wZero.text + columnSumsText,
    constants: { WORKGROUP: workgroup },
    bindings: { packed, columnSums: sums, ...wZero.bindings },
    uniforms: { k, columns, words, zeros: wZero.count },
    workgroups: oneEach(columns, workgroup),
    once: true,
  };
  return { packed, sums, dispatches: [pack, sum] };
}

function sizes(n: NodeView): DotSizes {
  const { m, n: columns, chunks } = layoutOf(n) as Layout;
  const { mayDiffer } = wZeroOf(n);
  return {
    m,
    n: columns,
    chunks,
    rowBytes: dotChunk,
    columnBytes: dotChunk + (mayDiffer ? 4 : 0),
    stagedBytes: mayDiffer ? 2 * dotChunk : dotChunk,
    open: 0,
    term: mayDiffer ? 3 : 1,
    resultBytes: wordsPerQuad(n.output(0).dtype),
    before: { dispatches: 0, flops: 0, traffic: 0 },
  };
}

const product: DotProduct<unknown> = {
  shared: { epilogueAxis: (n) => n.output(0).dims.length - 1, converts: true },
  when(n, { limits }) {
    const layout = layoutOf(n);
    const constant = n.input(1).isConstant && (!n.has(3) || n.input(3).isConstant);
    if (!layout || !constant || (wordsPerQuad(n.output(0).dtype) < 4 && !inQuads(layout))) return false;
    const most = Math.min(limits.maxBufferSize, limits.maxStorageBufferBindingSize);
    return n.operands.length <= 2 && layout.n * layout.chunks * dotChunk <= most;
  },
  sizes,
  dispatches(n, { name, grid, text, constants }) {
    const layout = layoutOf(n) as Layout;
    const [xZero, wZero] = [xZeroOf(n), wZeroOf(n)];
    const { packed, sums, dispatches } = packing(n, layout, wZero);
    const tail = epilogue(n, n.output(0).dims.length - 1, 'step', 7, 'int32');
    const front = [
      linearHelpers,
      params,
      'alias elem = u32;\n',
      tail.text,
      readsText(layout, n.input(0).dtype === 'uint8', wZero),
      storeText(n, layout, xZero),
    ];
    const workgroups = grid.rowTiles * grid.columnTiles;
    return [
      ...dispatches,
      {
        label: `MatMulInteger.${name}`,
        wgsl: front.join('\n') + text,
        constants,
        bindings: {
          a: { input: 0 },
          weights: packed,
          y: { output: 0 },
          columnSums: sums,
          ...xZero.bindings,
          ...(wZero.mayDiffer ? wZero.bindings : {}),
          ...tail.bindings,
        },
        uniforms: {
          ...layout,
          columnTiles: grid.columnTiles,
          workgroups,
          xZeros: xZero.count,
          wZeros: wZero.count,
        },
        workgroups: foldWorkgroups(workgroups),
      },
    ];
  },
};

export const integerDotKernels = dotKernels(product);
