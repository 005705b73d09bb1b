// MaxRoiPool: regions of images cut into bins of whole elements, of which the largest is kept. Inputs: x [batch,
// channels, height, width] and regions [count, 5]: the image, then (x, y) of the first and the last element.

import text from '../../shaders/max-roi-pool.wgsl?raw';
import { byteSize, deviceType, isFloat } from '../base/dtype';
import { ndarray } from '../base/ndarray';
import { ceilDiv, forEachIndex, formatDims, sizeOf } from '../base/shape';
import { type AttributesOf, float, required } from '../ir/attributes';
import type { NodeView } from '../ir/node-view';
import { defineOp, type OpCase } from '../ir/opdef';
import { placeOf, requireElements } from './axes';
import { oneEach } from './wgsl/dispatch';
import { wordType } from './wgsl/elements';

const workgroupSize = 64;

const attributes = { pooled_shape: required('ints'), spatial_scale: float(1) };
type View = NodeView<AttributesOf<typeof attributes>>;

function resultDims(n: View): number[] {
  const [x, rois] = [n.input(0), n.input(1).dims];
  if (!isFloat(x.dtype)) n.fail(`pools ${x.dtype}; expected floats`);
  if (x.dims.length !== 4) n.fail(`has an input of rank ${x.dims.length}; expected [batch, channels, height, width]`);
  if (rois.length !== 2 || rois[1] !== 5) n.fail(`has regions ${formatDims(rois)}; expected [count, 5]`);
  const { pooled_shape: shape } = n.attributes;
  if (shape.length !== 2 || shape.some((s) => !(s >= 1)))
    n.fail(`has the pooled_shape [${shape}]; expected two sizes of at least 1`);
  return [rois[0] as number, x.dims[1] as number, ...shape];
}

/** Halves away from zero. */
function rounded(at: number): number {
  return Math.sign(at) * Math.floor(Math.abs(at) + 0.5);
}

/** First element of bin `k` of `bins` over [first, last], and the one behind its last, within the image. */
function bounds(first: number, last: number, k: number, bins: number, size: number): [begin: number, end: number] {
  const extent = Math.max(last - first + 1, 1);
  const within = (at: number) => Math.min(Math.max(at, 0), size);
  return [within(first + Math.floor((k * extent) / bins)), within(first + ceilDiv((k + 1) * extent, bins))];
}

export default defineOp({
  name: 'MaxRoiPool',
  attributes,
  infer(n) {
    const dims = resultDims(n);
    requireElements(n, dims);
    return [{ dtype: n.input(0).dtype, dims }];
  },
  reference(n, [x, rois]) {
    const [source, regions] = [x ?? n.fail('lacks its input'), rois ?? n.fail('lacks its regions')];
    const out = ndarray(source.dtype, resultDims(n));
    const [, channels, outHeight, outWidth] = out.dims as [number, number, number, number];
    const [height, width] = source.dims.slice(2) as [number, number];
    forEachIndex(out.dims, ([region = 0, channel = 0, row = 0, column = 0], flat) => {
      const field = (i: number) => regions.data[region * 5 + i] as number;
      const corner = (i: number) => rounded(Math.fround(field(i) * n.attributes.spatial_scale));
      const [left, right] = bounds(corner(1), corner(3), column, outWidth, width);
      const [top, bottom] = bounds(corner(2), corner(4), row, outHeight, height);
      const start =
        (placeOf(Math.max(0, Math.trunc(field(0))), source.dims[0] as number) * channels + channel) * height * width;
      let most: number | undefined;
      for (let v = top; v < bottom; v++) {
        for (let u = left; u < right; u++) {
          most = Math.max(most ?? Number.NEGATIVE_INFINITY, source.data[start + v * width + u] as number);
        }
      }
      out.data[flat] = most ?? 0;
    });
    return [out];
  },
  kernels: [
    {
      name: 'gather',
      cost(n) {
        const { dims } = n.output(0);
        const elements = sizeOf(dims);
        // Regions are known on the run only: half of the image is a guess.
        const bin = Math.max(1, sizeOf(n.input(0).dims.slice(2)) / sizeOf(dims.slice(2)) / 2);
        return {
          flops: elements * (30 + 4 * bin),
          traffic: byteSize(deviceType(n.input(0).dtype)) * elements * (6 + bin),
          workgroups: ceilDiv(elements, workgroupSize),
        };
      },
      dispatches(n) {
        const { dims } = n.output(0);
        const [images, channels, height, width] = n.input(0).dims as [number, number, number, number];
        const count = sizeOf(dims);
        return [
          {
            label: 'MaxRoiPool.gather',
            wgsl: `alias elem = ${wordType(n.input(0).dtype)};\nalias place = ${wordType(n.input(1).dtype)};\n${text}`,
            constants: { workgroup_size: workgroupSize },
            bindings: { x: { input: 0 }, rois: { input: 1 }, result: { output: 0 } },
            uniforms: {
              count,
              channels,
              height,
              width,
              out_height: dims[2] as number,
              out_width: dims[3] as number,
              images,
              scale: n.attributes.spatial_scale,
            },
            workgroups: oneEach(count, workgroupSize),
          },
        ];
      },
    },
  ],
});

const regions = (...values: number[]) => ({ dims: [values.length / 5, 5], values });

export const cases: OpCase[] = [
  {
    name: 'regions of two images',
    inputs: [{ dims: [2, 3, 9, 8] }, regions(0, 0, 0, 7, 8, 1, 2, 3, 5, 4, 1, -4, 2, 3, 20, 0, 9, 9, 12, 12)],
    attributes: { pooled_shape: [3, 2] },
  },
  {
    name: 'scaled, all below zero',
    inputs: [{ dims: [1, 2, 5, 7], range: [-3, -1] }, regions(0, 1, 2, 13, 9)],
    attributes: { pooled_shape: [2, 4], spatial_scale: 0.5 },
  },
];
