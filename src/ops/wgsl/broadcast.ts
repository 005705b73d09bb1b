// How an element-wise kernel reads operands that broadcast to its output: WGSL expressions for four lanes.
// The output's shape is first collapsed to as few dimensions as all operands allow. In
//   flat    every operand has one element or all of them: a quad of the output is a quad of each operand
//   rows    dimension 0 counts rows, and a row is whole quads of which each lies in one innermost row: an
//           invocation keeps its place within the row, so that what repeats with the rows is read once
//   apart   the lanes of a quad may lie in different rows: each finds its own element

import { broadcastStrides, type Dims, sizeOf } from '../../base/shape';
import type { TensorType } from '../../ir/node-view';
import { collapse } from './collapse';
import { elementAt, quadType, unpackQuad, wordType } from './elements';

export interface OperandCode {
  /** Element type of the binding. */
  readonly arrayType: string;
  /** Expression of the four lanes, in terms of `quad`, and of `row` and `at0`… as the layout has them. */
  readonly load: string;
  /** Whether it is the same for every row. */
  readonly repeats: boolean;
  /** Whether the uniform field `strides<index>` is read. */
  readonly strided: boolean;
  /** Bytes that a quad of the output loads of it. */
  readonly bytes: number;
}

export interface Broadcast {
  readonly layout: 'flat' | 'rows' | 'apart';
  /** Of the output, collapsed. */
  readonly dims: readonly number[];
  /** Of each operand. */
  readonly strides: readonly (readonly number[])[];
  readonly operands: readonly OperandCode[];
}

/** Operand i is bound as `a<i>`. */
export function broadcast(output: Dims, operands: readonly TensorType[]): Broadcast {
  const { dims, strides } = collapse(
    output,
    operands.map((o) => broadcastStrides(o.dims, output)),
  );
  const elements = sizeOf(output);
  const flat = operands.every((o) => sizeOf(o.dims) === elements || sizeOf(o.dims) === 1);
  const layout = flat ? 'flat' : dims.length > 1 && (dims.at(-1) as number) % 4 === 0 ? 'rows' : 'apart';
  return {
    layout,
    dims: dims.length > 0 ? dims : [1],
    strides,
    operands: operands.map((o, i) => operandCode(o, elements, strides[i] as number[], i, layout)),
  };
}

function operandCode(
  { dtype, dims }: TensorType,
  elements: number,
  strides: readonly number[],
  index: number,
  layout: Broadcast['layout'],
): OperandCode {
  const name = `a${index}`;
  const size = sizeOf(dims);
  const quads = { arrayType: quadType(dtype), bytes: 16 };
  const words = { arrayType: wordType(dtype), bytes: 4 };
  if (size === elements) {
    return { ...quads, load: unpackQuad(dtype, `${name}[quad]`), repeats: false, strided: false };
  }
  if (size === 1) {
    return { ...words, load: `vec4(${elementAt(dtype, name, '0u')})`, repeats: true, strided: false };
  }
  const offset = (lane: number) =>
    `(${strides.map((_, d) => `${place(layout, lane, d)} * ${stride(index, d)}`).join(' + ')})`;
  const repeats = layout === 'rows' && strides[0] === 0;
  if (layout === 'apart') {
    const lanes = [0, 1, 2, 3].map((lane) => elementAt(dtype, name, offset(lane)));
    return { ...words, bytes: 16, load: `vec4(${lanes.join(', ')})`, repeats, strided: true };
  }
  if (strides.at(-1) === 1) {
    return { ...quads, load: unpackQuad(dtype, `${name}[${offset(0)} >> 2u]`), repeats, strided: true };
  }
  return { ...words, load: `vec4(${elementAt(dtype, name, offset(0))})`, repeats, strided: true };
}

/** WGSL of the position along dimension `d`. */
function place(layout: Broadcast['layout'], lane: number, d: number): string {
  if (layout === 'apart') return `at${lane}[${d}]`;
  return d === 0 ? 'row' : `at0[${d - 1}]`;
}

function stride(index: number, d: number): string {
  return `params.strides${index}[${d >> 2}][${d & 3}]`;
}

/** WGSL `coordinates(index)`: the position along each dimension from `from` on, of `params.dims`. */
export function coordinatesCode(rank: number, from: number): string {
  const count = rank - from;
  const steps = Array.from({ length: count }, (_, k) => {
    const d = rank - 1 - k;
    const size = `params.dims[${d >> 2}][${d & 3}]`;
    return d === from ? '  at[0] = rest;' : `  at[${d - from}] = rest % ${size}; rest /= ${size};`;
  });
  return `fn coordinates(index: u32) -> array<u32, ${count}> {
  var at: array<u32, ${count}>;
  var rest = index;
${steps.join('\n')}
  return at;
}`;
}
