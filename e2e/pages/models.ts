// Small models for page tests, each with what it computes.

import { ndarray } from '../../src/base/ndarray';
import { makeModel, tensorOf } from '../support/onnx-writer';

/** y = Relu(x · w + b): [batch, 3] → [batch, 2]. */
export const dense = makeModel({
  nodes: [
    { op: 'Gemm', name: 'dense', inputs: ['x', 'w', 'b'], outputs: ['sum'] },
    { op: 'Relu', name: 'relu', inputs: ['sum'], outputs: ['y'] },
  ],
  inputs: [{ name: 'x', dtype: 'float32', shape: ['batch', 3] }],
  outputs: [
    { name: 'y', dtype: 'float32', shape: ['batch', 2] },
    { name: 'sum', dtype: 'float32', shape: ['batch', 2] },
  ],
  initializers: [
    tensorOf('w', ndarray('float32', [3, 2], [1, -1, 2, -2, 3, -3])),
    tensorOf('b', ndarray('float32', [2], [0.5, 0.25])),
  ],
});

/** y = x + 1, with shape [n]. */
export function addOne(n: number): Uint8Array<ArrayBuffer> {
  return makeModel({
    nodes: [{ op: 'Add', name: 'add', inputs: ['x', 'one'], outputs: ['y'] }],
    inputs: [{ name: 'x', dtype: 'float32', shape: [n] }],
    outputs: [{ name: 'y', dtype: 'float32', shape: [n] }],
    initializers: [tensorOf('one', ndarray('float32', [1], [1]))],
  });
}

/** One node of each integer kind, to see types at the border: doubled = n + n, flag = n > 2. */
export const integers = makeModel({
  nodes: [
    { op: 'Add', inputs: ['n', 'n'], outputs: ['doubled'] },
    { op: 'Greater', inputs: ['n', 'two'], outputs: ['flag'] },
  ],
  inputs: [{ name: 'n', dtype: 'int64', shape: [3] }],
  outputs: [
    { name: 'doubled', dtype: 'int64', shape: [3] },
    { name: 'flag', dtype: 'bool', shape: [3] },
  ],
  initializers: [tensorOf('two', ndarray('int64', [], [2]))],
});

/** Passes a picture through, so that a test sees what image() made: y = x · 1, [1, 3, 24, 32]. */
export const picture = makeModel({
  nodes: [{ op: 'Mul', inputs: ['x', 'one'], outputs: ['y'] }],
  inputs: [{ name: 'x', dtype: 'float32', shape: [1, 3, 24, 32] }],
  outputs: [{ name: 'y', dtype: 'float32', shape: [1, 3, 24, 32] }],
  initializers: [tensorOf('one', ndarray('float32', [1], [1]))],
});

/** Two operators that no runtime has, among ones that Lepton has; 8 MiB of weights behind them. */
export const unknownOperators = makeModel({
  nodes: [
    { op: 'Frobnicate', name: 'first', inputs: ['x'], outputs: ['a'] },
    { op: 'Relu', name: 'fine', inputs: ['a'], outputs: ['b'] },
    { op: 'Frobnicate', name: 'second', inputs: ['b'], outputs: ['c'] },
    { op: 'Twist', name: 'third', inputs: ['c', 'w'], outputs: ['y'] },
  ],
  inputs: [{ name: 'x', dtype: 'float32', shape: [4] }],
  outputs: [{ name: 'y', dtype: 'float32', shape: [4] }],
  initializers: [tensorOf('w', ndarray('float32', [2 << 20]))],
});

/** Layers of `side` × `side` weights in an external file; with every weight 1/side, y is the mean of x. */
export function large(layers: number, side: number): Uint8Array<ArrayBuffer> {
  const value = (i: number) => (i === 0 ? 'x' : i === layers ? 'y' : `h${i}`);
  return makeModel({
    nodes: Array.from({ length: layers }, (_, i) => ({
      op: 'MatMul',
      inputs: [value(i), `w${i}`],
      outputs: [value(i + 1)],
    })),
    inputs: [{ name: 'x', dtype: 'float32', shape: [1, side] }],
    outputs: [{ name: 'y', dtype: 'float32', shape: [1, side] }],
    initializers: Array.from({ length: layers }, (_, i) => ({
      name: `w${i}`,
      dtype: 'float32' as const,
      dims: [side, side],
      external: { location: 'weights.bin', offset: i * side * side * 4, length: side * side * 4 },
    })),
  });
}

/** As a large exporter writes it: every initialiser in another file, the shape of a Reshape among them. */
export const external = {
  model: makeModel({
    nodes: [
      { op: 'Reshape', inputs: ['x', 'shape'], outputs: ['rows'] },
      { op: 'Add', inputs: ['rows', 'w'], outputs: ['y'] },
    ],
    inputs: [{ name: 'x', dtype: 'float32', shape: [6] }],
    outputs: [{ name: 'y', dtype: 'float32', shape: [2, 3] }],
    initializers: [
      { name: 'shape', dtype: 'int64', dims: [2], external: { location: 'parts.bin', offset: 0, length: 16 } },
      { name: 'w', dtype: 'float32', dims: [3], external: { location: 'parts.bin', offset: 16, length: 12 } },
    ],
  }),
  parts: new Uint8Array([
    ...new Uint8Array(BigInt64Array.of(2n, 3n).buffer),
    ...new Uint8Array(Float32Array.of(10, 20, 30).buffer),
  ]),
};
