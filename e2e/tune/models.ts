// Small models whose nodes have several kernel variants each, all of them quick to compile.

import { type NDArray, ndarray } from '../../src/base/ndarray';
import { makeModel, tensorOf } from '../support/onnx-writer';
import { mulberry32 } from '../support/random';

const random = mulberry32(4);
const drawn = (dims: readonly number[]): NDArray => {
  const count = dims.reduce((a, b) => a * b, 1);
  return ndarray(
    'float32',
    dims,
    Array.from({ length: count }, () => 2 * random() - 1),
  );
};

/** Softmax of [rows, 257] along its rows. */
export function softmax(rows: number): Uint8Array<ArrayBuffer> {
  return makeModel({
    nodes: [{ op: 'Softmax', name: 'softmax', inputs: ['x'], outputs: ['y'] }],
    inputs: [{ name: 'x', dtype: 'float32', shape: [rows, 257] }],
    outputs: [{ name: 'y', dtype: 'float32', shape: [rows, 257] }],
    initializers: [],
  });
}

/** y = softmax(x · w): [rows, 67] → [rows, 130]. */
export function denseOf(rows: number): Uint8Array<ArrayBuffer> {
  return makeModel({
    nodes: [
      { op: 'MatMul', name: 'product', inputs: ['x', 'w'], outputs: ['scores'] },
      { op: 'Softmax', name: 'softmax', inputs: ['scores'], outputs: ['y'] },
    ],
    inputs: [{ name: 'x', dtype: 'float32', shape: [rows, 67] }],
    outputs: [{ name: 'y', dtype: 'float32', shape: [rows, 130] }],
    initializers: [tensorOf('w', weights)],
  });
}

/** y = x · w: [1, 256] → [1, 256], one weight in sixteen not zero. */
export function sparseProduct(): Uint8Array<ArrayBuffer> {
  const w = drawn([256, 256]);
  w.data.forEach((_, i) => {
    if (i % 16 !== (i >> 8) % 16) w.data[i] = 0;
  });
  return makeModel({
    nodes: [{ op: 'MatMul', name: 'product', inputs: ['x', 'w'], outputs: ['y'] }],
    inputs: [{ name: 'x', dtype: 'float32', shape: [1, 256] }],
    outputs: [{ name: 'y', dtype: 'float32', shape: [1, 256] }],
    initializers: [tensorOf('w', w)],
  });
}

const weights = drawn([67, 130]);
export const dense = denseOf(1);
export const sparseFeeds = { x: drawn([1, 256]) };
export const denseFeeds = { x: drawn([1, 67]) };
export const rowsFeeds = { x: drawn([96, 67]) };
export const softmaxFeeds = (rows: number) => ({ x: drawn([rows, 257]) });
