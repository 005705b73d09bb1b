// Resize: a tensor sampled at other positions. Nearest samples in an even pattern are a strided copy, linear
// ones over the last two axes have a kernel; everything else (cubic, cropping, antialiasing, other axes, uneven
// nearest) is mixed from tables of positions and weights: see resize-taps.op.ts.

import text from '../../shaders/resize-linear.wgsl?raw';
import { isFloat } from '../base/dtype';
import { ndarray } from '../base/ndarray';
import { ceilDiv, sizeOf, stridesOf } from '../base/shape';
import { float, int, ints, string } from '../ir/attributes';
import { defineOp, type OpCase } from '../ir/opdef';
import { type EvenPattern, evenPattern } from './even-pattern';
import { type Axis, type ResizeView, resizeAxes, resizedDims } from './resize-axes';
import { resizeGrad } from './resize-gradient';
import { mixTaps } from './resize-taps';
import { oneEach } from './wgsl/dispatch';
import { wordsPerQuad } from './wgsl/elements';
import { epilogue } from './wgsl/epilogue';
import { stridedKernel, type Walk } from './wgsl/strided-copy';

const workgroupSize = 64;

/** The pattern of nearest samples along each resized axis, where all have one. */
function patternsOf(n: ResizeView): { axis: number; pattern: EvenPattern }[] | undefined {
  if (n.attributes.mode !== 'nearest') return undefined;
  const patterns = resizeAxes(n).map(({ axis, indices }) => ({
    axis,
    pattern: indices.some((i) => i < 0) ? undefined : evenPattern(indices),
  }));
  return patterns.every((p) => p.pattern) ? (patterns as { axis: number; pattern: EvenPattern }[]) : undefined;
}

function walkOf(n: ResizeView): Walk {
  const { dims } = n.input(0);
  const strides = stridesOf(dims);
  const patterns = patternsOf(n) ?? [];
  let offset = 0;
  const axes = dims.map((size, axis) => {
    const stride = strides[axis] as number;
    const pattern = patterns.find((p) => p.axis === axis)?.pattern;
    if (!pattern) return { dims: [size], strides: [stride] };
    offset += pattern.start * stride;
    return { dims: pattern.dims, strides: pattern.steps.map((s) => s * stride) };
  });
  return { dims: axes.flatMap((a) => a.dims), strides: axes.flatMap((a) => a.strides), offset };
}

/** Height and width where plain linear interpolation over the last two axes is all there is to do. */
function planeOf(n: ResizeView): { y: Axis; x: Axis } | undefined {
  const { mode, antialias, exclude_outside: excludes, coordinate_transformation_mode: transform } = n.attributes;
  if (mode !== 'linear' || antialias || excludes || transform === 'tf_crop_and_resize') return undefined;
  const { dtype, dims } = n.input(0);
  const axes = resizeAxes(n);
  if (!isFloat(dtype) || axes.some(({ axis }) => axis < dims.length - 2)) return undefined;
  const along = (axis: number): Axis => {
    const size = dims[axis] ?? 1;
    const same = { axis, size, out: size, scale: 1, shift: 0, taps: 1, indices: [], weights: [] };
    return axes.find((a) => a.axis === axis) ?? same;
  };
  return { y: along(dims.length - 2), x: along(dims.length - 1) };
}

export default defineOp({
  name: 'Resize',
  attributes: {
    antialias: int(0),
    axes: ints(),
    coordinate_transformation_mode: string('half_pixel'),
    cubic_coeff_a: float(-0.75),
    exclude_outside: int(0),
    extrapolation_value: float(0),
    keep_aspect_ratio_policy: string('stretch'),
    mode: string('nearest'),
    nearest_mode: string('round_prefer_floor'),
  },
  infer(n) {
    resizeAxes(n);
    return [{ dtype: n.input(0).dtype, dims: resizedDims(n) }];
  },
  reference(n, [x]) {
    const source = x ?? n.fail('lacks its input');
    return [mixTaps(source, resizedDims(n), resizeAxes(n), n.attributes.extrapolation_value)];
  },
  grad: resizeGrad,
  kernels: [
    stridedKernel(walkOf, (n) => patternsOf(n) !== undefined),
    {
      name: 'linear',
      when: (n) => planeOf(n) !== undefined,
      epilogueAxis: () => -1,
      cost(n) {
        const quads = ceilDiv(sizeOf(n.output(0).dims), 4);
        return {
          flops: quads * 4 * 24,
          traffic: quads * 5 * 4 * wordsPerQuad(n.output(0).dtype),
          workgroups: ceilDiv(quads, workgroupSize),
        };
      },
      dispatches(n) {
        const { y, x } = planeOf(n) ?? n.fail('is not linear over its last two axes');
        const elem = n.input(0).dtype === 'float16' ? 'f16' : 'f32';
        const end = epilogue(n, -1, 'same', 3);
        const quads = ceilDiv(sizeOf(n.output(0).dims), 4);
        return [
          {
            label: 'Resize.linear',
            wgsl: `alias elem = ${elem};\nalias elem4 = vec4<${elem}>;\n${end.text}\n${text}`,
            constants: { workgroup_size: workgroupSize },
            bindings: { source: { input: 0 }, result: { output: 0 }, ...end.bindings },
            uniforms: {
              quads,
              in_height: y.size,
              in_width: x.size,
              out_height: y.out,
              out_width: x.out,
              scale_y: y.scale,
              shift_y: y.shift,
              scale_x: x.scale,
              shift_x: x.shift,
            },
            workgroups: oneEach(quads, workgroupSize),
          },
        ];
      },
    },
  ],
  lower(n, b) {
    if (patternsOf(n) || planeOf(n)) return undefined;
    const axes = resizeAxes(n);
    const inputs = [n.node.inputs[0] as string];
    if (axes.length === 0) return inputs;
    const table = (dtype: 'int32' | 'float32', values: number[]) => b.constant(ndarray(dtype, [values.length], values));
    inputs.push(
      table(
        'int32',
        axes.flatMap((a) => a.indices),
      ),
    );
    if (n.attributes.mode !== 'nearest')
      inputs.push(
        table(
          'float32',
          axes.flatMap((a) => a.weights),
        ),
      );
    return b.add('lepton.ResizeTaps', inputs, {
      axes: axes.map((a) => a.axis),
      sizes: axes.map((a) => a.out),
      taps: axes.map((a) => a.taps),
      extrapolation_value: n.attributes.extrapolation_value,
    });
  },
});

const list = (dtype: 'float32' | 'int64', values: number[]) => ({
  dtype,
  dims: [values.length],
  values,
  constant: true,
});
const scales = (...values: number[]) => [undefined, list('float32', values)];
const sizes = (...values: number[]) => [undefined, undefined, list('int64', values)];
const image = { dims: [1, 2, 5, 7] };

export const cases: OpCase[] = [
  {
    name: 'nearest x2',
    inputs: [{ dims: [1, 3, 4, 6] }, ...scales(1, 1, 2, 2)],
    attributes: { coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' },
  },
  { name: 'nearest x2 and x3, odd width', inputs: [image, ...scales(1, 1, 3, 2)] },
  { name: 'nearest half', inputs: [{ dims: [1, 1, 8, 12] }, ...scales(1, 1, 0.5, 0.5)] },
  { name: 'nearest uneven', inputs: [image, ...sizes(1, 2, 8, 9)] },
  { name: 'nearest uneven, int64', inputs: [{ dtype: 'int64', dims: [5, 7] }, ...sizes(7, 3)] },
  {
    name: 'nearest ceil align_corners, uint8',
    inputs: [{ dtype: 'uint8', dims: [5, 7] }, ...sizes(8, 9)],
    attributes: { nearest_mode: 'ceil', coordinate_transformation_mode: 'align_corners' },
  },
  {
    name: 'nearest cropped',
    inputs: [image, list('float32', [0, 0, -0.3, 0.2, 1, 1, 0.8, 1.4]), undefined, list('int64', [1, 2, 6, 9])],
    attributes: { coordinate_transformation_mode: 'tf_crop_and_resize', extrapolation_value: 7 },
  },
  { name: 'linear x2', inputs: [image, ...scales(1, 1, 2, 2)], attributes: { mode: 'linear' } },
  {
    name: 'linear align_corners',
    inputs: [image, ...sizes(1, 2, 9, 13)],
    attributes: { mode: 'linear', coordinate_transformation_mode: 'align_corners' },
  },
  {
    name: 'linear shrunk, pytorch_half_pixel',
    inputs: [{ dims: [2, 129] }, ...sizes(1, 43)],
    attributes: { mode: 'linear', coordinate_transformation_mode: 'pytorch_half_pixel' },
  },
  {
    name: 'linear in one axis',
    inputs: [{ dims: [9] }, ...scales(2.6)],
    attributes: { mode: 'linear', coordinate_transformation_mode: 'half_pixel_symmetric' },
  },
  {
    name: 'linear float16',
    inputs: [{ dtype: 'float16', dims: [3, 5] }, ...scales(2, 1.5)],
    attributes: { mode: 'linear' },
  },
  {
    name: 'linear over three axes',
    inputs: [{ dims: [2, 3, 4, 3] }, ...scales(2, 1.5, 2, 1)],
    attributes: { mode: 'linear' },
  },
  { name: 'linear uint8', inputs: [{ dtype: 'uint8', dims: [3, 5] }, ...scales(2, 2)], attributes: { mode: 'linear' } },
  {
    name: 'linear antialiased',
    inputs: [{ dims: [1, 1, 9, 11] }, ...sizes(1, 1, 4, 5)],
    attributes: { mode: 'linear', antialias: 1 },
  },
  {
    name: 'linear cropped',
    inputs: [image, list('float32', [-0.2, 0.1, 0.9, 1.3]), undefined, list('int64', [6, 5])],
    attributes: {
      mode: 'linear',
      axes: [2, 3],
      coordinate_transformation_mode: 'tf_crop_and_resize',
      extrapolation_value: -3,
    },
  },
  { name: 'cubic', inputs: [image, ...scales(1, 1, 1.6, 2)], attributes: { mode: 'cubic' } },
  {
    name: 'cubic without the outside',
    inputs: [image, ...sizes(1, 2, 8, 4)],
    attributes: { mode: 'cubic', exclude_outside: 1, cubic_coeff_a: -0.5 },
  },
];
