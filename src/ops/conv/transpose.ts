// ConvTranspose's sizes and reference. Its window is that of the convolution it is the gradient of, seen from
// the output: output o receives input i through tap k where o + begin = i * stride + k * dilation.

import { type NDArray, ndarray } from '../../base/ndarray';
import { forEachIndex } from '../../base/shape';
import { type AttributesOf, int, ints } from '../../ir/attributes';
import type { NodeView } from '../../ir/node-view';
import { onThreeAxes, perAxis, type Window, windowAttributes } from '../window';
import type { WeightSteps } from './parts';
import { type ConvShape, sizes, weightsOf } from './shape';

export const transposeAttributes = { ...windowAttributes, group: int(1), output_padding: ints(), output_shape: ints() };
export type TransposeAttributes = AttributesOf<typeof transposeAttributes>;
export type TransposeNode = NodeView<TransposeAttributes>;

const shapes = new WeakMap<TransposeNode, ConvShape>();

export function transposeShape(n: TransposeNode): ConvShape {
  let shape = shapes.get(n);
  if (!shape) {
    shape = readShape(n);
    shapes.set(n, shape);
  }
  return shape;
}

function readShape(n: TransposeNode): ConvShape {
  const { spatial, weights, kernel } = weightsOf(n);
  const [channels = 0, groupOut = 0] = weights;
  const groups = n.attributes.group;
  const inputs = n.input(0).dims[1];
  if (channels !== inputs) n.fail(`has ${inputs} input channels, but its weights are for ${channels}`);
  if (channels % groups !== 0) n.fail(`has ${channels} input channels, which ${groups} groups do not divide`);
  return sizes(n, groups, channels / groups, groupOut, kernel, transposeWindow(n, spatial, kernel));
}

function transposeWindow(n: TransposeNode, spatial: readonly number[], kernel: readonly number[]): Window {
  const { attributes: a } = n;
  const rank = spatial.length;
  const strides = perAxis(n, 'strides', a.strides, rank, 1);
  const dilations = perAxis(n, 'dilations', a.dilations, rank, 1);
  const pads = perAxis(n, 'pads', a.pads, 2 * rank, 0);
  const extra = a.output_padding?.length ? a.output_padding : new Array<number>(rank).fill(0);
  if (extra.length !== rank) n.fail(`has ${extra.length} entries in "output_padding", but ${rank} were expected`);
  const same = a.auto_pad === 'SAME_UPPER' || a.auto_pad === 'SAME_LOWER';
  if (!same && !['NOTSET', '', 'VALID'].includes(a.auto_pad)) {
    n.fail(`has auto_pad "${a.auto_pad}"; expected NOTSET, VALID, SAME_UPPER or SAME_LOWER`);
  }
  // Some exporters write the whole shape, batch and channels included.
  const wanted = a.output_shape?.length ? a.output_shape.slice(-rank) : undefined;
  if (wanted && wanted.length !== rank)
    n.fail(`has ${wanted.length} entries in "output_shape", but ${rank} were expected`);
  const begins: number[] = [];
  const ends: number[] = [];
  const output = spatial.map((size, i) => {
    const stride = strides[i] as number;
    const full =
      (size - 1) * stride + ((kernel[i] as number) - 1) * (dilations[i] as number) + 1 + (extra[i] as number);
    // Where windows leave gaps, less than that comes out.
    const fixed = wanted?.[i] ?? (same ? Math.min(size * stride, full) : undefined);
    if (fixed !== undefined) {
      const total = Math.max(0, full - fixed);
      const less = Math.floor(total / 2);
      begins.push(a.auto_pad === 'SAME_UPPER' ? less : total - less);
      ends.push(a.auto_pad === 'SAME_UPPER' ? total - less : less);
      return fixed;
    }
    begins.push(a.auto_pad === 'VALID' ? 0 : (pads[i] as number));
    ends.push(a.auto_pad === 'VALID' ? 0 : (pads[i + rank] as number));
    const out = full - (begins[i] as number) - (ends[i] as number);
    if (out < 1) n.fail(`has padding that leaves nothing of spatial axis ${i} (${full} elements before it)`);
    return out;
  });
  return onThreeAxes({ rank, input: spatial, kernel, strides, dilations, begins, ends, output });
}

/** The block that each input pixel becomes, where windows are squares side by side; else undefined. */
export function blockSize({ groups, window }: ConvShape): number | undefined {
  const { rank, input, kernel, strides, dilations, begins, output } = window;
  const block = kernel[2] as number;
  const tiled = [1, 2].every(
    (i) =>
      kernel[i] === block &&
      strides[i] === block &&
      dilations[i] === 1 &&
      begins[i] === 0 &&
      output[i] === block * (input[i] as number),
  );
  return rank === 2 && groups === 1 && block > 1 && tiled ? block : undefined;
}

/** Weights are [inputs, outputs / group, kernel…]. */
export function transposeWeightSteps({ channels, groupOut, taps }: ConvShape): WeightSteps {
  return { group: channels * groupOut * taps, output: taps, channel: groupOut * taps };
}

export function transposeReference(n: TransposeNode, inputs: readonly (NDArray | undefined)[]): NDArray[] {
  const [x, w, bias] = inputs as [NDArray, NDArray, NDArray | undefined];
  const { batch, groups, channels, groupOut, window, taps, inputStep, outputStep } = transposeShape(n);
  const outputs = groups * groupOut;
  const sums = new Float64Array(batch * outputs * outputStep);
  for (let i = 0; i < sums.length; i++)
    sums[i] = bias ? (bias.data[Math.floor(i / outputStep) % outputs] as number) : 0;
  forEachIndex(window.input, (at, pixel) => {
    forEachIndex(window.kernel, (k, tap) => {
      const o = k.map(
        (v, i) =>
          (at[i] as number) * (window.strides[i] as number) +
          v * (window.dilations[i] as number) -
          (window.begins[i] as number),
      );
      if (o.some((v, i) => v < 0 || v >= (window.output[i] as number))) return;
      const [oz, oy, ox] = o as [number, number, number];
      const to = (oz * (window.output[1] as number) + oy) * (window.output[2] as number) + ox;
      for (let image = 0; image < batch; image++) {
        for (let c = 0; c < groups * channels; c++) {
          const v = x.data[(image * groups * channels + c) * inputStep + pixel] as number;
          const first = image * outputs + Math.floor(c / channels) * groupOut;
          for (let m = 0; m < groupOut; m++) {
            const out = (first + m) * outputStep + to;
            sums[out] = (sums[out] as number) + v * (w.data[(c * groupOut + m) * taps + tap] as number);
          }
        }
      }
    });
  });
  return [ndarray(x.dtype, [batch, outputs, ...window.output.slice(3 - window.rank)], sums)];
}
