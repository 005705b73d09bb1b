// The sliding window that convolution and pooling share: kernel size, strides, dilations and padding,
// resolved from ONNX attributes. Invariant: every list has three entries, [depth, height, width]; 1-D and
// 2-D operators have neutral ones in front, so that kernels and references know only one rank.

import { ceilDiv, type Dims, formatDims, sizeOf } from '../base/shape';
import { int, ints, string } from '../ir/attributes';
import type { NodeView } from '../ir/node-view';

export interface Window {
  /** Spatial axes the operator really has: 1 to 3. */
  readonly rank: number;
  readonly input: Dims;
  readonly kernel: Dims;
  readonly strides: Dims;
  readonly dilations: Dims;
  /** Padding before and after each axis. */
  readonly begins: Dims;
  readonly ends: Dims;
  readonly output: Dims;
}

export const windowAttributes = {
  auto_pad: string('NOTSET'),
  dilations: ints(),
  kernel_shape: ints(),
  pads: ints(),
  strides: ints(),
};

export const ceilMode = { ceil_mode: int(0) };

export interface WindowAttributes {
  readonly auto_pad: string;
  readonly dilations: readonly number[] | undefined;
  readonly pads: readonly number[] | undefined;
  readonly strides: readonly number[] | undefined;
}

/** Spatial dimensions of a tensor [batch, channels, ...spatial]; fails beyond three of them. */
export function spatialDims(n: NodeView, dims: Dims): Dims {
  if (dims.length < 3) n.fail(`has an input of rank ${dims.length}, but [batch, channels, spatial…] is needed`);
  if (dims.length > 5) n.fail(`has ${dims.length - 2} spatial axes; Lepton handles up to 3`, 'UNSUPPORTED_MODEL');
  return dims.slice(2);
}

/** `list` with neutral entries in front, up to three. */
function threeAxes(list: readonly number[], neutral: number): number[] {
  return [...new Array<number>(3 - list.length).fill(neutral), ...list];
}

/** A window on the operator's own axes, with neutral ones put in front. */
export function onThreeAxes(w: Window): Window {
  return {
    rank: w.rank,
    input: threeAxes(w.input, 1),
    kernel: threeAxes(w.kernel, 1),
    strides: threeAxes(w.strides, 1),
    dilations: threeAxes(w.dilations, 1),
    begins: threeAxes(w.begins, 0),
    ends: threeAxes(w.ends, 0),
    output: threeAxes(w.output, 1),
  };
}

/** A per-axis attribute, or `fallback` for every axis. */
export function perAxis(
  n: NodeView,
  name: string,
  list: readonly number[] | undefined,
  rank: number,
  fallback: number,
): readonly number[] {
  if (!list || list.length === 0) return new Array<number>(rank).fill(fallback);
  if (list.length !== rank) n.fail(`has ${list.length} entries in "${name}", but ${rank} were expected`);
  if (name !== 'pads' && list.some((v) => !(v >= 1)))
    n.fail(`has "${name}" of [${list}], but every entry must be at least 1`);
  return list;
}

/** A window is walked for every output; padding alone can make room for one of any size. */
const mostTaps = 1 << 24;

/**
 * @param spatial input sizes, one per spatial axis
 * @param kernel window sizes, likewise
 * @param ceil round output sizes up, as long as the last window starts inside the input or its front padding
 */
export function slidingWindow(
  n: NodeView<WindowAttributes>,
  spatial: Dims,
  kernel: readonly number[],
  ceil = false,
): Window {
  const rank = spatial.length;
  if (sizeOf(kernel) > mostTaps) {
    n.fail(
      `has a window of ${formatDims(kernel)}; at most ${mostTaps} elements are mixed into one`,
      'UNSUPPORTED_MODEL',
    );
  }
  const strides = perAxis(n, 'strides', n.attributes.strides, rank, 1);
  const dilations = perAxis(n, 'dilations', n.attributes.dilations, rank, 1);
  const pads = perAxis(n, 'pads', n.attributes.pads, 2 * rank, 0);
  const begins: number[] = [];
  const ends: number[] = [];
  const output = spatial.map((size, i) => {
    const stride = strides[i] as number;
    const extent = ((kernel[i] as number) - 1) * (dilations[i] as number) + 1;
    const [begin, end] = padding(n, size, stride, extent, pads[i] as number, pads[i + rank] as number);
    begins.push(begin);
    ends.push(end);
    const room = size + begin + end - extent;
    if (room < 0)
      n.fail(`has a window of ${extent} on spatial axis ${i}, but only ${size + begin + end} elements with padding`);
    if (!ceil) return Math.floor(room / stride) + 1;
    const count = ceilDiv(room, stride) + 1;
    return (count - 1) * stride >= size + begin ? count - 1 : count;
  });
  return onThreeAxes({ rank, input: spatial, kernel, strides, dilations, begins, ends, output });
}

function padding(
  n: NodeView<WindowAttributes>,
  size: number,
  stride: number,
  extent: number,
  begin: number,
  end: number,
): [number, number] {
  const mode = n.attributes.auto_pad;
  switch (mode) {
    case 'NOTSET':
    case '':
      return [begin, end];
    case 'VALID':
      return [0, 0];
    case 'SAME_UPPER':
    case 'SAME_LOWER': {
      const total = Math.max(0, (ceilDiv(size, stride) - 1) * stride + extent - size);
      const less = Math.floor(total / 2);
      return mode === 'SAME_UPPER' ? [less, total - less] : [total - less, less];
    }
    default:
      return n.fail(`has auto_pad "${mode}"; expected NOTSET, VALID, SAME_UPPER or SAME_LOWER`);
  }
}

/** Calls `visit` for every tap of the window that falls inside the input, at output position (z, y, x). */
export function forEachTap(w: Window, at: readonly number[], visit: (tap: number, inputOffset: number) => void): void {
  const [kz, ky, kx] = w.kernel as [number, number, number];
  const [sizeZ, sizeY, sizeX] = w.input as [number, number, number];
  const [z0, y0, x0] = [0, 1, 2].map((i) => (at[i] as number) * (w.strides[i] as number) - (w.begins[i] as number)) as [
    number,
    number,
    number,
  ];
  const [dz, dy, dx] = w.dilations as [number, number, number];
  for (let a = 0; a < kz; a++) {
    const z = z0 + a * dz;
    if (z < 0 || z >= sizeZ) continue;
    for (let b = 0; b < ky; b++) {
      const y = y0 + b * dy;
      if (y < 0 || y >= sizeY) continue;
      for (let c = 0; c < kx; c++) {
        const x = x0 + c * dx;
        if (x >= 0 && x < sizeX) visit((a * ky + b) * kx + c, (z * sizeY + y) * sizeX + x);
      }
    }
  }
}
