// MaxUnpool: every element of input 0 back where MaxPool found it, zeros elsewhere. Input 1 has the flat places
// in the tensor that the pooling attributes lead back to; output_shape (input 2) may be larger, which adds zeros
// behind each axis.

import fillText from '../../shaders/fill.wgsl?raw';
import text from '../../shaders/max-unpool.wgsl?raw';
import { byteSize, deviceBytes, deviceType, isFloat } from '../base/dtype';
import { type NDArray, ndarray } from '../base/ndarray';
import { ceilDiv, type Dims, formatDims, sameDims, sizeOf, stridesOf } from '../base/shape';
import { type AttributesOf, ints } from '../ir/attributes';
import type { Dispatch } from '../ir/kernel';
import type { NodeView } from '../ir/node-view';
import { defineOp, type OpCase } from '../ir/opdef';
import { padded, reshape } from './gradient';
import { oneEach } from './wgsl/dispatch';
import { wordType } from './wgsl/elements';
import { perAxis, spatialDims } from './window';

const workgroupSize = 64;

const attributes = { kernel_shape: ints(), pads: ints(), strides: ints() };
type View = NodeView<AttributesOf<typeof attributes>>;

/** The shape that input 1 counts in, and that of the output. */
function shapesOf(n: View): { counted: Dims; dims: Dims } {
  const { dtype, dims: x } = n.input(0);
  if (!isFloat(dtype)) n.fail(`unpools ${dtype}; expected floats`);
  const spatial = spatialDims(n, x);
  const rank = spatial.length;
  if (!n.attributes.kernel_shape) n.fail('lacks the attribute "kernel_shape"');
  if (!sameDims(n.input(1).dims, x)) n.fail('has indices of another shape than its input');
  const kernel = perAxis(n, 'kernel_shape', n.attributes.kernel_shape, rank, 1);
  const strides = perAxis(n, 'strides', n.attributes.strides, rank, 1);
  const pads = perAxis(n, 'pads', n.attributes.pads, 2 * rank, 0);
  const sizes = spatial.map(
    (size, i) =>
      (size - 1) * (strides[i] as number) + (kernel[i] as number) - (pads[i] as number) - (pads[i + rank] as number),
  );
  const counted = [...x.slice(0, 2), ...sizes];
  if (sizes.some((size) => size < 0) || sizeOf(counted) >= 2 ** 31) n.fail(`counts places in ${formatDims(counted)}`);
  const dims = n.numbers(2) ?? counted;
  if (dims.length !== counted.length) n.fail(`has an output_shape of ${dims.length} sizes for rank ${counted.length}`);
  return { counted, dims };
}

function reference(n: View, x: NDArray, places: NDArray): NDArray {
  const { counted, dims } = shapesOf(n);
  const out = ndarray(x.dtype, dims);
  const [from, to] = [stridesOf(counted), stridesOf(dims)];
  x.data.forEach((value, i) => {
    const place = places.data[i] as number;
    const at = counted.map((size, d) => Math.floor(place / (from[d] as number)) % size);
    const isInside = place >= 0 && place < sizeOf(counted) && at.every((c, d) => c < (dims[d] as number));
    if (isInside) out.data[at.reduce((sum, c, d) => sum + c * (to[d] as number), 0)] = value;
  });
  return out;
}

export default defineOp({
  name: 'MaxUnpool',
  attributes,
  infer: (n) => [{ dtype: n.input(0).dtype, dims: shapesOf(n).dims }],
  reference: (n, [x, places]) => [
    reference(n, x ?? n.fail('lacks its input'), places ?? n.fail('lacks its indices (input 1)')),
  ],
  grad(n, b, [gradient]) {
    if (gradient === undefined) return [];
    const { counted, dims } = shapesOf(n);
    const none = dims.map(() => 0);
    const whole = padded(
      b,
      gradient,
      none,
      counted.map((size, d) => size - (dims[d] as number)),
    );
    return b.add('Gather', [reshape(b, whole, [sizeOf(counted)]), n.node.inputs[1] as string]);
  },
  kernels: [
    {
      name: 'scatter',
      cost(n) {
        const bytes = byteSize(deviceType(n.output(0).dtype));
        const [updates, elements] = [sizeOf(n.input(0).dims), sizeOf(n.output(0).dims)];
        return {
          flops: 20 * updates,
          traffic: bytes * elements + (2 * bytes + 4) * updates,
          workgroups: ceilDiv(elements, 4 * workgroupSize),
          dispatches: 2,
        };
      },
      dispatches(n): Dispatch[] {
        const { counted, dims } = shapesOf(n);
        const { dtype } = n.output(0);
        const count = sizeOf(n.input(0).dims);
        const quads = deviceBytes(dtype, sizeOf(dims)) / 16;
        return [
          {
            label: 'MaxUnpool.zeros',
            wgsl: fillText,
            constants: { workgroup_size: workgroupSize },
            bindings: { result: { output: 0 } },
            uniforms: { quads, word: 0 },
            workgroups: oneEach(quads, workgroupSize),
          },
          {
            label: 'MaxUnpool.scatter',
            wgsl: `alias elem = ${wordType(dtype)};\n${text}`,
            constants: { workgroup_size: workgroupSize },
            bindings: { x: { input: 0 }, places: { input: 1 }, result: { output: 0 } },
            uniforms: { count, rank: dims.length, size: sizeOf(counted), counted, dims, steps: stridesOf(dims) },
            workgroups: oneEach(count, workgroupSize),
          },
        ];
      },
    },
  ],
});

const places = (dims: number[], ...values: number[]) => ({ dtype: 'int64', dims, values }) as const;
const doubled = { kernel_shape: [2, 2], strides: [2, 2] };

export const cases: OpCase[] = [
  {
    name: '2×2 stride 2',
    inputs: [{ dims: [1, 2, 2, 2] }, places([1, 2, 2, 2], 5, 7, 13, 10, 17, 22, 24, 31)],
    attributes: doubled,
  },
  {
    name: 'output_shape',
    inputs: [
      { dims: [1, 1, 2, 2] },
      places([1, 1, 2, 2], 5, 7, 13, 15),
      { dtype: 'int64', dims: [4], values: [1, 1, 5, 6], constant: true },
    ],
    attributes: doubled,
  },
  {
    name: 'one axis, padded',
    inputs: [{ dims: [1, 2, 3] }, places([1, 2, 3], 0, 3, 5, 7, 9, 12)],
    attributes: { kernel_shape: [3], strides: [3], pads: [1, 1] },
  },
];
