// What the pooling operators share: attributes, shape rule, and the walk over windows of the references.

import type { DType } from '../../base/dtype';
import { type NDArray, ndarray } from '../../base/ndarray';
import { forEachIndex, sizeOf } from '../../base/shape';
import type { AttributesOf } from '../../ir/attributes';
import type { NodeView, TensorType } from '../../ir/node-view';
import { ceilMode, forEachTap, perAxis, slidingWindow, spatialDims, type Window, windowAttributes } from '../window';

export const poolAttributes = { ...windowAttributes, ...ceilMode };

export type PoolAttributes = AttributesOf<typeof poolAttributes>;
export type PoolNode = NodeView<PoolAttributes>;

export function poolWindow(n: PoolNode): Window {
  const { kernel_shape, ceil_mode } = n.attributes;
  const spatial = spatialDims(n, n.input(0).dims);
  if (!kernel_shape) n.fail('lacks the attribute "kernel_shape"');
  return slidingWindow(n, spatial, perAxis(n, 'kernel_shape', kernel_shape, spatial.length, 1), ceil_mode === 1);
}

export function poolType(n: PoolNode): TensorType {
  const { dtype, dims } = n.input(0);
  const window = poolWindow(n);
  return { dtype, dims: [...dims.slice(0, 2), ...window.output.slice(3 - window.rank)] };
}

/**
 * Computes each output from the offsets, in its channel, of the inputs that its window covers; `plane` is
 * where the channel starts in the input, `at` and `out` say where the result goes.
 */
export function poolReference(
  n: PoolNode,
  dtype: DType,
  reduce: (offsets: readonly number[], plane: number, at: readonly number[], out: number) => number,
): NDArray {
  const window = poolWindow(n);
  const { dims } = poolType(n);
  const y = ndarray(dtype, dims);
  const [inputStep, outputStep] = [sizeOf(window.input), sizeOf(window.output)];
  const planes = (dims[0] as number) * (dims[1] as number);
  forEachIndex(window.output, (at, pixel) => {
    const offsets: number[] = [];
    forEachTap(window, at, (_, offset) => offsets.push(offset));
    for (let plane = 0; plane < planes; plane++) {
      const out = plane * outputStep + pixel;
      y.data[out] = reduce(offsets, plane * inputStep, at, out);
    }
  });
  return y;
}

/** Taps of the window at `at` that lie in the input or its padding. */
export function paddedTaps(w: Window, at: readonly number[]): number {
  let taps = 1;
  for (let i = 0; i < 3; i++) {
    const start = (at[i] as number) * (w.strides[i] as number);
    const size = (w.input[i] as number) + (w.begins[i] as number) + (w.ends[i] as number);
    const fitting = Math.ceil((size - start) / (w.dilations[i] as number));
    taps *= Math.min(w.kernel[i] as number, Math.max(0, fitting));
  }
  return taps;
}
