// The general transform of lines, lepton.DFT, as it lies in memory: sizes read off its node once, and its
// reference. Every line along the axis (or every frame of a signal) is windowed, transformed and multiplied.

import { type NDArray, ndarray } from '../../base/ndarray';
import { type Dims, sizeOf } from '../../base/shape';
import { type AttributesOf, int, required } from '../../ir/attributes';
import type { NodeView } from '../../ir/node-view';
import { transform } from './fourier';

export const lineAttributes = {
  /** Of x, the last axis of which holds the components; 1 where there are frames. */
  axis: required('int'),
  /** Bins of each line that are kept: the first of them. */
  bins: required('int'),
  /** 0, or the step between the frames into which each line is cut. */
  frame_step: int(0),
  /** 0, or the size of the whole spectrum of which x has the first half: the rest is its mirror image. */
  mirror: int(0),
  /** Only the real parts of the result are kept. */
  real: int(0),
  /** 1 to divide by the length. */
  normalize: int(0),
};
export type LinesNode = NodeView<AttributesOf<typeof lineAttributes>>;

export interface Lines {
  readonly lines: number;
  readonly inner: number;
  readonly frames: number;
  readonly frameStep: number;
  /** Numbers of x along the axis. */
  readonly size: number;
  /** Numbers that count, the mirrored ones included. */
  readonly taken: number;
  /** Of the transform. */
  readonly length: number;
  readonly bins: number;
  readonly components: number;
  readonly dims: Dims;
}

/** Inputs: x, turns [length, 2], optional window [taken] or [taken, 2], optional factor [bins, 2]. */
export function linesOf(n: LinesNode): Lines {
  const { axis, bins, frame_step: frameStep, mirror, real } = n.attributes;
  const { dims: x } = n.input(0);
  const length = n.input(1).dims[0] as number;
  const size = x[axis] as number;
  const frames = frameStep > 0 ? Math.floor((size - length) / frameStep) + 1 : 1;
  const outer = x.slice(0, axis);
  const inner = x.slice(axis + 1, -1);
  return {
    lines: sizeOf(outer) * frames * sizeOf(inner),
    inner: sizeOf(inner),
    frames,
    frameStep,
    size,
    taken: Math.min(mirror > 0 ? mirror : size, length, n.inputs[2]?.dims[0] ?? length),
    length,
    bins,
    components: x.at(-1) as number,
    dims: [...outer, ...(frameStep > 0 ? [frames] : []), bins, ...inner, real ? 1 : 2],
  };
}

export function linesReference(n: LinesNode, inputs: readonly (NDArray | undefined)[]): NDArray[] {
  const [x, turns, window, factor] = inputs as [NDArray, NDArray, NDArray?, NDArray?];
  const { lines, inner, frames, frameStep, size, taken, length, bins, components, dims } = linesOf(n);
  const { mirror, real, normalize } = n.attributes;
  const table = Float64Array.from(turns.data);
  const out = ndarray(x.dtype, dims);
  const complexWindow = window?.dims.length === 2;
  const signal = new Float64Array(2 * length);
  for (let line = 0; line < lines; line++) {
    const outer = Math.floor(line / inner);
    const start = Math.floor(outer / frames) * size + (outer % frames) * frameStep;
    signal.fill(0);
    for (let t = 0; t < taken; t++) {
      const mirrored = mirror > 0 && 2 * t > mirror;
      const place = mirrored ? mirror - t : t;
      if (place >= size) continue;
      const at = ((start + place) * inner + (line % inner)) * components;
      const re = x.data[at] as number;
      const im = components === 2 ? (x.data[at + 1] as number) * (mirrored ? -1 : 1) : 0;
      const [c, d] = complexWindow
        ? [window.data[2 * t] as number, window.data[2 * t + 1] as number]
        : [window ? (window.data[t] as number) : 1, 0];
      signal[2 * t] = re * c - im * d;
      signal[2 * t + 1] = re * d + im * c;
    }
    const result = transform(signal, table);
    for (let k = 0; k < bins; k++) {
      const scale = normalize ? 1 / length : 1;
      const [re, im] = [(result[2 * k] as number) * scale, (result[2 * k + 1] as number) * scale];
      const [c, d] = factor ? [factor.data[2 * k] as number, factor.data[2 * k + 1] as number] : [1, 0];
      const at = (outer * bins + k) * inner + (line % inner);
      if (real) out.data[at] = re * c - im * d;
      else out.data.set([re * c - im * d, re * d + im * c], 2 * at);
    }
  }
  return [out];
}
