// RoiAlign: regions of images resampled to one size. Inputs: x [batch, channels, height, width], regions
// [count, 4] as (x, y) of two corners, and the image [count] that each is of.

import text from '../../shaders/roi-align.wgsl?raw';
import { byteSize, deviceType, isFloat } from '../base/dtype';
import { ndarray } from '../base/ndarray';
import { ceilDiv, forEachIndex, formatDims, sizeOf } from '../base/shape';
import { type AttributesOf, float, int, string } from '../ir/attributes';
import type { NodeView } from '../ir/node-view';
import { defineOp, type OpCase } from '../ir/opdef';
import { requireElements } from './axes';
import { oneEach } from './wgsl/dispatch';
import { wordType } from './wgsl/elements';

const workgroupSize = 64;

const attributes = {
  coordinate_transformation_mode: string('half_pixel'),
  mode: string('avg'),
  output_height: int(1),
  output_width: int(1),
  sampling_ratio: int(0),
  spatial_scale: float(1),
};
type View = NodeView<AttributesOf<typeof attributes>>;

/** Samples along an axis of a bin, as in the shader: an absurd region must come to an end. */
const mostSamples = 1024;

function optionsOf(n: View) {
  const { coordinate_transformation_mode: transform, mode, sampling_ratio: samples } = n.attributes;
  if (mode !== 'avg' && mode !== 'max') n.fail(`has the mode "${mode}"; expected avg or max`);
  if (transform !== 'half_pixel' && transform !== 'output_half_pixel')
    n.fail(`has the coordinate_transformation_mode "${transform}"; expected half_pixel or output_half_pixel`);
  if (samples < 0) n.fail(`has the sampling_ratio ${samples}; expected 0 or more`);
  if (samples > mostSamples)
    n.fail(`has the sampling_ratio ${samples}; Lepton takes at most ${mostSamples} samples`, 'UNSUPPORTED_MODEL');
  const half = transform === 'half_pixel';
  // Without the half pixel, regions are at least one element wide and high.
  return {
    largest: mode === 'max',
    samples,
    shift: half ? 0.5 : 0,
    smallest: half ? -3e38 : 1,
    scale: n.attributes.spatial_scale,
  };
}

function resultDims(n: View): number[] {
  const [x, rois, images] = [n.input(0), n.input(1).dims, n.input(2).dims];
  if (!isFloat(x.dtype)) n.fail(`samples ${x.dtype}; expected floats`);
  if (x.dims.length !== 4) n.fail(`has an input of rank ${x.dims.length}; expected [batch, channels, height, width]`);
  if (rois.length !== 2 || rois[1] !== 4 || images.length !== 1 || images[0] !== rois[0])
    n.fail(`has regions ${formatDims(rois)} of images ${formatDims(images)}; expected [count, 4] and [count]`);
  const { output_height: height, output_width: width } = n.attributes;
  if (!(height >= 1 && width >= 1)) n.fail(`has the output size ${height}×${width}`);
  return [rois[0] as number, x.dims[1] as number, height, width];
}

/** Where a sample lies along one axis: the two elements around it and the share of the second. */
function around(at: number, size: number): [low: number, high: number, rest: number] {
  const place = Math.min(Math.max(at, 0), size - 1);
  const low = Math.floor(place);
  return [low, Math.min(low + 1, size - 1), place - low];
}

export default defineOp({
  name: 'RoiAlign',
  attributes,
  infer(n) {
    optionsOf(n);
    const dims = resultDims(n);
    requireElements(n, dims);
    return [{ dtype: n.input(0).dtype, dims }];
  },
  reference(n, [x, rois, images]) {
    const source = x ?? n.fail('lacks its input');
    const { largest, samples, shift, smallest, scale } = optionsOf(n);
    const out = ndarray(source.dtype, resultDims(n));
    const [, channels, outHeight, outWidth] = out.dims as [number, number, number, number];
    const [height, width] = source.dims.slice(2) as [number, number];
    forEachIndex(out.dims, ([region = 0, channel = 0, row = 0, column = 0], flat) => {
      const corner = (i: number) => (rois?.data[region * 4 + i] as number) * scale - shift;
      const [left, top] = [corner(0), corner(1)];
      const binWidth = Math.max(corner(2) - left, smallest) / outWidth;
      const binHeight = Math.max(corner(3) - top, smallest) / outHeight;
      const across = samples || Math.min(mostSamples, Math.max(0, Math.ceil(binWidth)));
      const down = samples || Math.min(mostSamples, Math.max(0, Math.ceil(binHeight)));
      const start = ((images?.data[region] as number) * channels + channel) * height * width;
      let sum = 0;
      let most: number | undefined;
      for (let i = 0; i < down; i++) {
        const y = top + row * binHeight + ((i + 0.5) * binHeight) / down;
        const [y0, y1, b] = around(y, height);
        for (let j = 0; j < across; j++) {
          const at = left + column * binWidth + ((j + 0.5) * binWidth) / across;
          const [x0, x1, a] = around(at, width);
          const outside = y < -1 || y > height || at < -1 || at > width;
          const taps = [
            [y0, x0, (1 - b) * (1 - a)],
            [y0, x1, (1 - b) * a],
            [y1, x0, b * (1 - a)],
            [y1, x1, b * a],
          ] as const;
          const weighted = taps.map(([v, u, w]) => (outside ? 0 : w * (source.data[start + v * width + u] as number)));
          sum += weighted.reduce((s, v) => s + v, 0);
          most = Math.max(most ?? Number.NEGATIVE_INFINITY, ...weighted);
        }
      }
      out.data[flat] = largest ? (most ?? 0) : sum / Math.max(1, down * across);
    });
    return [out];
  },
  kernels: [
    {
      name: 'sampled',
      cost(n) {
        const elements = sizeOf(n.output(0).dims);
        // How many samples a bin takes may be known on the run only.
        const samples = (n.attributes.sampling_ratio || 2) ** 2;
        return {
          flops: elements * (20 + samples * 40),
          traffic: byteSize(deviceType(n.input(0).dtype)) * elements * (5 + 4 * samples),
          workgroups: ceilDiv(elements, workgroupSize),
        };
      },
      dispatches(n) {
        const { dims } = n.output(0);
        const [images, channels, height, width] = n.input(0).dims as [number, number, number, number];
        const { largest, ...options } = optionsOf(n);
        const count = sizeOf(dims);
        return [
          {
            label: 'RoiAlign.sampled',
            wgsl: `alias elem = ${wordType(n.input(0).dtype)};\nalias place = ${wordType(n.input(1).dtype)};\n${text}`,
            constants: { workgroup_size: workgroupSize },
            bindings: { x: { input: 0 }, rois: { input: 1 }, images: { input: 2 }, result: { output: 0 } },
            uniforms: {
              count,
              channels,
              height,
              width,
              out_height: dims[2] as number,
              out_width: dims[3] as number,
              images,
              ...options,
              largest: largest ? 1 : 0,
            },
            workgroups: oneEach(count, workgroupSize),
          },
        ];
      },
    },
  ],
});

const inputs: OpCase['inputs'] = [
  { dims: [2, 3, 9, 8] },
  { dims: [4, 4], values: [0, 0, 7, 8, 2.3, 1.1, 5.9, 3.2, -3, 4, 6, 30, 5, 5, 5.2, 5.1] },
  { dtype: 'int64', dims: [4], values: [0, 1, 1, 0] },
];
const size = { output_height: 3, output_width: 5 };

export const cases: OpCase[] = [
  { name: 'as many samples as fit', inputs, attributes: size },
  { name: 'two samples, scaled', inputs, attributes: { ...size, sampling_ratio: 2, spatial_scale: 0.5 } },
  {
    name: 'whole pixels, maximum',
    inputs,
    attributes: { ...size, sampling_ratio: 3, mode: 'max', coordinate_transformation_mode: 'output_half_pixel' },
  },
  {
    name: 'float16',
    inputs: [
      { dtype: 'float16', dims: [1, 2, 5, 5] },
      { dtype: 'float16', dims: [1, 4], values: [0.5, 1, 4, 3.5] },
      { dtype: 'int64', dims: [1], values: [0] },
    ],
    attributes: { output_height: 2, output_width: 2 },
    tolerance: 2e-3,
  },
];
