// Products with quantised weights whose rows are quantised too, to int8 in chunks of sixteen: four factors an instruction.
// Only for nodes that allow it, by accuracy_level 4. A chunk's largest number decides its scale, so what this costs in
// accuracy is at most what ONNX Runtime's blocks of the weights' size do.

import quantiseText from '../../../shaders/dot4-quantise.wgsl?raw';
import { byteSize, deviceType } from '../../base/dtype';
import { ceilDiv } from '../../base/shape';
import type { Dispatch, Operand } from '../../ir/kernel';
import { type DotProduct, type DotSizes, dotChunk, dotKernels, dotText } from '../dot4/kernels';
import { oneEach } from '../wgsl/dispatch';
import { type NBitsNode, type NBitsProblem, nbitsProblem } from './problem';
import { canRun, columnBytes, dispatch, epilogueAxis } from './product';
import { chunkTypes, frontText, nbitsText, rowsText, scalesText, zerosText } from './text';

/** The level of `accuracy_level` that allows rows of int8. */
const int8Level = 4;

const workgroup = 64;

/** Of a chunk of a row: sixteen bytes, their scale, and the sum of what they stand for. */
const rowText = 'struct Row { words: vec4u, scale: f32, sum: f32 }\n';
const rowBytes = 32;

/** Words of sixteen weights, and sixteen numbers i0 to i3 in that order of k. */
const orders = {
  8: {
    words: 'w ^ vec4u(0x80808080u)',
    arranged: 'vec4u(pack4xI8(i0), pack4xI8(i1), pack4xI8(i2), pack4xI8(i3))',
  },
  4: {
    words: '(w.xxyy >> vec4u(0u, 4u, 0u, 4u)) & vec4u(0x0f0f0f0fu)',
    arranged: `vec4u(
    pack4xI8(vec4i(i0.xz, i1.xz)), pack4xI8(vec4i(i0.yw, i1.yw)),
    pack4xI8(vec4i(i2.xz, i3.xz)), pack4xI8(vec4i(i2.yw, i3.yw)))`,
  },
  2: {
    words: '(vec4u(w) >> vec4u(0u, 2u, 4u, 6u)) & vec4u(0x03030303u)',
    arranged: `vec4u(
    pack4xI8(vec4i(i0.x, i1.x, i2.x, i3.x)), pack4xI8(vec4i(i0.y, i1.y, i2.y, i3.y)),
    pack4xI8(vec4i(i0.z, i1.z, i2.z, i3.z)), pack4xI8(vec4i(i0.w, i1.w, i2.w, i3.w)))`,
  },
} as const;
const orderOf = ({ bits }: NBitsProblem) => orders[bits as keyof typeof orders];

/** What dot4-rows.wgsl and dot4-tile.wgsl read. */
const readsText = (p: NBitsProblem) => `${scalesText}${zerosText(p)}${dotText('f32')}${rowText}
@group(0) @binding(0) var<storage, read> a: array<Row>;
@group(0) @binding(1) var<storage, read> weights: array<${chunkTypes[p.bits as keyof typeof chunkTypes]}>;
fn rowAt(row: u32, chunk: u32) -> Row { return a[min(row, params.m - 1u) * params.chunks + chunk]; }
/** The scale, and the scale times the zero point. */
struct Column { words: vec4u, scale: f32, low: f32 }
fn columnAt(number: u32, chunk: u32) -> Column {
  let column = min(number, params.n - 1u);
  let w = weights[column * params.blocks * params.chunksPerBlock + chunk];
  let scale = scaleOf(column, chunk);
  let zero = zeroOf(column, chunk / params.chunksPerBlock)${p.bits === 8 ? ' - 128.0' : ''};
  return Column(${orderOf(p).words}, scale, scale * zero);
}
fn term(row: Row, column: Column) -> f32 {
  return fma(row.scale * column.scale, f32(dot16(row.words, column.words)), -column.low * row.sum);
}
`;

const chunksOf = (p: NBitsProblem) => ceilDiv(p.k, dotChunk);

function sizes(n: NBitsNode): DotSizes {
  const p = nbitsProblem(n);
  const chunks = chunksOf(p);
  const element = byteSize(deviceType(p.dtype));
  return {
    m: p.m,
    n: p.n,
    chunks,
    rowBytes,
    columnBytes: columnBytes(p, 1),
    stagedBytes: rowBytes,
    open: 12,
    term: 6,
    resultBytes: element,
    before: {
      dispatches: 1,
      flops: p.m * chunks * 8 * dotChunk,
      traffic: p.m * chunks * (dotChunk * element + rowBytes),
    },
  };
}

function quantised(p: NBitsProblem, rows: Operand): Dispatch {
  const arranged = `fn arranged(i0: vec4i, i1: vec4i, i2: vec4i, i3: vec4i) -> vec4u { return ${orderOf(p).arranged}; }\n`;
  return {
    ...dispatch(
      p,
      { rowTiles: 1, columnTiles: 1 },
      {
        label: 'quantise',
        front: {
          text: frontText(p) + rowsText(p) + rowText + arranged,
          bindings: { a: { input: 0 }, quantised: rows },
        },
        text: quantiseText,
        constants: { WORKGROUP: workgroup },
      },
    ),
    workgroups: oneEach(p.m * chunksOf(p), workgroup),
  };
}

const product: DotProduct<NBitsNode['attributes']> = {
  shared: { epilogueAxis },
  when: (n) => n.attributes.accuracy_level === int8Level && canRun(n) && n.attributes.K > 0,
  sizes,
  dispatches(n, { name, grid, text, constants }) {
    const p = nbitsProblem(n);
    const rows: Operand = { scratch: 'rows', bytes: Math.max(1, p.m * chunksOf(p)) * rowBytes };
    const zeros: Readonly<Record<string, Operand>> = p.zeros === 'none' ? {} : { zeros: { input: 3 } };
    const bindings = { a: rows, weights: { input: 1 }, scales: { input: 2 }, ...zeros };
    const front = nbitsText(n, p, { text: readsText(p), bindings });
    return [quantised(p, rows), dispatch(p, grid, { label: name, front, text, constants })];
  },
};

export const nbitsDotKernels = dotKernels(product);
