// Weights as integers: 8 bits with a scale for each output, 4 bits with a scale (and perhaps a zero point) for each block of
// an output's inputs. Zero stays exactly zero in all of them, so that pruned weights stay pruned. Scales are rounded to the type
// that they are kept in before codes are chosen, so that codes and errors are of the numbers that runtimes compute.

import { float16ToNumber, numberToFloat16 } from '../base/float16';
import type { MatrixView } from './layers';

/** What scales are kept in: the type of the weights. */
export type ScaleType = 'float32' | 'float16';

export interface Int8Weights {
  /** In the order of the weights. */
  readonly codes: Int8Array;
  /** By row. */
  readonly scales: Float32Array;
}

/** Symmetric: ±127 for the largest magnitude of a row. */
export function toInt8(
  { rows, columns, rowStride, columnStride }: MatrixView,
  weights: Float32Array,
  type: ScaleType,
): Int8Weights {
  const codes = new Int8Array(weights.length);
  const scales = new Float32Array(rows);
  for (let r = 0; r < rows; r++) {
    const from = r * rowStride;
    let most = 0;
    for (let c = 0; c < columns; c++) most = Math.max(most, Math.abs(weights[from + c * columnStride] as number));
    const scale = scaleOf(most / 127, type);
    scales[r] = scale;
    for (let c = 0; c < columns; c++) {
      const at = from + c * columnStride;
      codes[at] = Math.min(127, Math.max(-127, Math.round((weights[at] as number) / scale)));
    }
  }
  return { codes, scales };
}

export interface Int4Weights {
  /** [rows, columns], each 0 … 15. */
  readonly codes: Uint8Array;
  /** [rows, blocks] */
  readonly scales: Float32Array;
  /** [rows, blocks], each 0 … 15: the code that stands for zero. */
  readonly zeros: Uint8Array;
  readonly blocks: number;
}

/** @param symmetric zero is 8 in every block; else the block's smallest and largest numbers decide */
export function toInt4(
  view: MatrixView,
  weights: Float32Array,
  blockSize: number,
  symmetric: boolean,
  type: ScaleType,
): Int4Weights {
  const { rows, columns, rowStride, columnStride } = view;
  const blocks = Math.ceil(columns / blockSize);
  const codes = new Uint8Array(rows * columns);
  const scales = new Float32Array(rows * blocks);
  const zeros = new Uint8Array(rows * blocks).fill(8);
  for (let r = 0; r < rows; r++) {
    for (let b = 0; b < blocks; b++) {
      const end = Math.min(columns, (b + 1) * blockSize);
      let [least, most] = [0, 0];
      for (let c = b * blockSize; c < end; c++) {
        const w = weights[r * rowStride + c * columnStride] as number;
        least = Math.min(least, w);
        most = Math.max(most, w);
      }
      const scale = scaleOf(symmetric ? Math.max(most / 7, -least / 8) : (most - least) / 15, type);
      const zero = symmetric ? 8 : Math.min(15, Math.max(0, Math.round(-least / scale)));
      scales[r * blocks + b] = scale;
      zeros[r * blocks + b] = zero;
      for (let c = b * blockSize; c < end; c++) {
        const w = weights[r * rowStride + c * columnStride] as number;
        codes[r * columns + c] = Math.min(15, Math.max(0, Math.round(w / scale) + zero));
      }
    }
  }
  return { codes, scales, zeros, blocks };
}

/** Of what is all zero the scale is 1. */
function scaleOf(exact: number, type: ScaleType): number {
  if (exact === 0) return 1;
  return type === 'float16' ? float16ToNumber(numberToFloat16(exact)) : Math.fround(exact);
}

/** Whether a scale lies below the normal numbers of its type, which GPUs may take for zero. */
export function isAnyTooSmall(scales: Float32Array, type: ScaleType): boolean {
  const least = type === 'float16' ? 2 ** -14 : 2 ** -126;
  return scales.some((scale) => scale < least);
}

/** The numbers that the integers stand for, in the order of the weights. */
export function fromInt8({ rows, columns, rowStride, columnStride }: MatrixView, int8: Int8Weights): Float32Array {
  const out = new Float32Array(int8.codes.length);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) {
      const at = r * rowStride + c * columnStride;
      out[at] = (int8.codes[at] as number) * (int8.scales[r] as number);
    }
  }
  return out;
}

export function fromInt4(view: MatrixView, int4: Int4Weights, blockSize: number): Float32Array {
  const { rows, columns, rowStride, columnStride } = view;
  const out = new Float32Array(rows * columns);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) {
      const block = r * int4.blocks + Math.floor(c / blockSize);
      const code = (int4.codes[r * columns + c] as number) - (int4.zeros[block] as number);
      out[r * rowStride + c * columnStride] = code * (int4.scales[block] as number);
    }
  }
  return out;
}
