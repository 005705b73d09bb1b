// The sampling half of a deformable convolution: sizes, the host's samples, and the kernel. Inputs: x [batch,
// channels, spatial…], offsets [batch, offset groups × taps × axes, output…], optional mask [batch, offset
// groups × taps, output…]; output [batch, channels × taps, output…].

import text from '../../../shaders/deform-columns.wgsl?raw';
import { byteSize, deviceType, isFloat } from '../../base/dtype';
import { type NDArray, ndarray } from '../../base/ndarray';
import { ceilDiv, type Dims, forEachIndex, formatDims, sameDims, sizeOf } from '../../base/shape';
import { type AttributesOf, int } from '../../ir/attributes';
import type { Kernel, Operand } from '../../ir/kernel';
import type { NodeView } from '../../ir/node-view';
import { windowUniforms } from '../conv/parts';
import { oneEach } from '../wgsl/dispatch';
import { wordType } from '../wgsl/elements';
import { perAxis, slidingWindow, spatialDims, type Window, windowAttributes } from '../window';

const workgroupSize = 64;

export const columnAttributes = { ...windowAttributes, offset_group: int(1) };
export type ColumnsNode = NodeView<AttributesOf<typeof columnAttributes>>;

export interface Columns {
  readonly window: Window;
  readonly batch: number;
  readonly groups: number;
  /** Of one offset group. */
  readonly channels: number;
  readonly taps: number;
  /** Of the output, in all axes. */
  readonly pixels: number;
  readonly dims: Dims;
}

export function columnsOf(n: ColumnsNode): Columns {
  const { dtype, dims } = n.input(0);
  if (!isFloat(dtype)) n.fail(`samples ${dtype}; expected floats`);
  const spatial = spatialDims(n, dims);
  const kernel = perAxis(n, 'kernel_shape', n.attributes.kernel_shape, spatial.length, 1);
  const window = slidingWindow(n, spatial, kernel);
  const [batch, all] = dims as [number, number];
  const { offset_group: groups } = n.attributes;
  if (!(groups >= 1) || all % groups !== 0) n.fail(`has ${all} channels, which ${groups} offset groups do not divide`);
  const output = window.output.slice(3 - window.rank);
  const taps = sizeOf(kernel);
  const check = (i: number, name: string, rows: number) => {
    const expected = [batch, rows, ...output];
    const got = n.input(i).dims;
    if (!sameDims(got, expected)) n.fail(`has ${name} of shape ${formatDims(got)}; expected ${formatDims(expected)}`);
  };
  check(1, 'offsets', groups * taps * window.rank);
  if (n.has(2)) check(2, 'a mask', groups * taps);
  return {
    window,
    batch,
    groups,
    channels: all / groups,
    taps,
    pixels: sizeOf(output),
    dims: [batch, all * taps, ...output],
  };
}

/** Linear between elements, zero outside. @param place along depth, height and width */
function sample(plane: ArrayLike<number>, sizes: Dims, place: readonly number[]): number {
  let sum = 0;
  forEachIndex([2, 2, 2], (far) => {
    let weight = 1;
    let at = 0;
    for (let d = 0; d < 3; d++) {
      const low = Math.floor(place[d] as number);
      const rest = (place[d] as number) - low;
      const position = low + (far[d] as number);
      const size = sizes[d] as number;
      weight *= position < 0 || position >= size ? 0 : far[d] ? rest : 1 - rest;
      at = at * size + position;
    }
    if (weight !== 0) sum += weight * (plane[at] as number);
  });
  return sum;
}

export function columnsReference(n: ColumnsNode, inputs: readonly (NDArray | undefined)[]): NDArray[] {
  const [x, offsets, mask] = inputs as [NDArray, NDArray, NDArray?];
  const { window, batch, groups, channels, taps, pixels, dims } = columnsOf(n);
  const plane = sizeOf(window.input);
  const out = ndarray(x.dtype, dims);
  for (let group = 0; group < batch * groups; group++) {
    forEachIndex(window.kernel, (k, tap) => {
      const row = group * taps + tap;
      forEachIndex(window.output, (o, pixel) => {
        const place = o.map((c, d) => {
          const regular =
            c * (window.strides[d] as number) +
            (k[d] as number) * (window.dilations[d] as number) -
            (window.begins[d] as number);
          const axis = d - (3 - window.rank);
          return axis < 0 ? regular : regular + (offsets.data[(row * window.rank + axis) * pixels + pixel] as number);
        });
        const factor = mask ? (mask.data[row * pixels + pixel] as number) : 1;
        for (let c = group * channels; c < (group + 1) * channels; c++) {
          const values = x.data.subarray(c * plane, (c + 1) * plane);
          out.data[(c * taps + tap) * pixels + pixel] = factor * sample(values, window.input, place);
        }
      });
    });
  }
  return [out];
}

export const columnsKernel: Kernel = {
  name: 'sample',
  /** Channels for which an invocation samples. */
  space: { share: [8, 2, 32] },
  cost(n, t) {
    const { batch, groups, channels, taps, pixels, window } = columnsOf(n);
    const samples = batch * groups * channels * taps * pixels;
    const corners = 2 ** window.rank;
    const places = samples / Math.min(channels, t.share as number);
    return {
      flops: samples * 2 * corners + places * 30 * corners,
      traffic: byteSize(deviceType(n.input(0).dtype)) * (samples * (corners + 1) + places * (window.rank + 1)),
      workgroups: ceilDiv(places, workgroupSize),
    };
  },
  dispatches(n, t) {
    const { window, batch, groups, channels, taps, pixels } = columnsOf(n);
    const share = t.share as number;
    const shares = ceilDiv(channels, share);
    const items = batch * groups * shares * taps * pixels;
    const bindings: Record<string, Operand> = { x: { input: 0 }, offsets: { input: 1 }, columns: { output: 0 } };
    if (n.has(2)) bindings.mask = { input: 2 };
    const elem = wordType(n.input(0).dtype);
    return [
      {
        label: 'DeformConv.columns',
        wgsl: `alias elem = ${elem};
${n.has(2) ? `@group(0) @binding(4) var<storage, read> mask: array<${elem}>;` : ''}
fn mask_at(index: u32) -> f32 { return ${n.has(2) ? 'f32(mask[index])' : '1.0'}; }
${text}`,
        constants: { workgroup_size: workgroupSize },
        bindings,
        uniforms: {
          ...windowUniforms(window),
          axes: window.rank,
          items,
          pixels,
          taps,
          shares,
          groups,
          channels,
          share,
        },
        workgroups: oneEach(items, workgroupSize),
      },
    ];
  },
};
