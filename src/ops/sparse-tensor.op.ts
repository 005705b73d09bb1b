// lepton.SparseTensor: a sparse initialiser as ONNX has it, as the dense tensor that it stands for.
// Inputs: values [nnz], indices [nnz] in the order of memory or [nnz, rank]. Attribute `dims`: the dense shape.
// Invariant: indices ascend and lie within the shape (read/sparse-tensors.ts has checked it).

import fillText from '../../shaders/fill.wgsl?raw';
import text from '../../shaders/sparse-tensor.wgsl?raw';
import { type DeviceType, deviceBytes, deviceType } from '../base/dtype';
import { int64s, type NDArray, ndarray } from '../base/ndarray';
import { numberOfDType } from '../base/onnx-dtypes';
import { ceilDiv, formatDims, sizeOf, stridesOf } from '../base/shape';
import { required } from '../ir/attributes';
import type { Dispatch } from '../ir/kernel';
import type { NodeView } from '../ir/node-view';
import { defineOp, type OpCase } from '../ir/opdef';
import { oneEach } from './wgsl/dispatch';

const workgroupSize = 64;

/** Elements that have a word, or half a word, of their own to write. */
const elementTypes: Partial<Record<DeviceType, string>> = {
  float32: 'f32',
  float16: 'f16',
  int32: 'i32',
  uint32: 'u32',
};

type View = NodeView<{ readonly dims: readonly number[] }>;

const countOf = (n: View) => n.input(0).dims[0] as number;

/** Elements from one index to the next, by axis. */
const stepsOf = (n: View) => (n.input(1).dims.length === 1 ? [1] : stridesOf(n.attributes.dims));

const quadsOf = (n: View) => ceilDiv(deviceBytes(n.output(0).dtype, sizeOf(n.attributes.dims)), 16);

export default defineOp({
  name: 'lepton.SparseTensor',
  attributes: { dims: required('ints') },
  infer(n) {
    const [values, indices] = [n.input(0), n.input(1)];
    const { dims } = n.attributes;
    const [count, rank] = indices.dims;
    if (values.dims.length !== 1 || count !== values.dims[0] || (rank !== undefined && rank !== dims.length)) {
      n.fail(
        `places values ${formatDims(values.dims)} of a tensor ${formatDims(dims)} by indices ${formatDims(indices.dims)}`,
      );
    }
    if (indices.dtype !== 'int64') n.fail(`has indices of type ${indices.dtype}; they must be int64`);
    return [{ dtype: values.dtype, dims }];
  },
  reference(n, [values, indices]) {
    const steps = stepsOf(n);
    const out = ndarray(n.input(0).dtype, n.attributes.dims);
    const { data } = indices as NDArray;
    (values as NDArray).data.forEach((value, i) => {
      const at = steps.reduce((sum, step, axis) => sum + step * (data[i * steps.length + axis] as number), 0);
      out.data[at] = value;
    });
    return [out];
  },
  /** Only what is not zero learns. */
  grad(n, b, [dy]) {
    if (dy === undefined) return [undefined, undefined];
    const indices = n.node.inputs[1] as string;
    if (n.input(1).dims.length === 2) return [b.add('GatherND', [dy, indices])[0], undefined];
    const [flat] = b.add('Reshape', [dy, b.constant(int64s([-1]))]) as [string];
    return [b.add('Gather', [flat, indices])[0], undefined];
  },
  lower(n, b) {
    // Several bytes share a word, which invocations cannot write apart: they are placed as words.
    const { dtype } = n.input(0);
    if (dtype !== 'int8' && dtype !== 'uint8') return undefined;
    const [values, indices] = n.node.inputs as [string, string];
    const words = b.add('Cast', [values], { to: numberOfDType('int32') });
    const placed = b.add(n.node.op, [...words, indices], { dims: n.attributes.dims });
    return b.add('Cast', placed, { to: numberOfDType(dtype) });
  },
  kernels: [
    {
      name: 'place',
      when: (n) => elementTypes[deviceType(n.input(0).dtype)] !== undefined,
      cost: (n) => ({
        flops: 0,
        traffic: 16 * quadsOf(n) + countOf(n) * (8 + 4 * stepsOf(n).length),
        workgroups: ceilDiv(quadsOf(n) + countOf(n), workgroupSize),
        dispatches: 2,
      }),
      dispatches(n): Dispatch[] {
        const steps = stepsOf(n);
        const front = [
          `alias elem = ${elementTypes[deviceType(n.input(0).dtype)]};`,
          `const RANK = ${steps.length}u;`,
          `const STEPS = array<u32, RANK>(${steps.map((step) => `${step}u`).join(', ')});\n`,
        ].join('\n');
        const constants = { workgroup_size: workgroupSize };
        return [
          {
            label: 'SparseTensor.zeros',
            wgsl: fillText,
            constants,
            bindings: { result: { output: 0 } },
            uniforms: { quads: quadsOf(n), word: 0 },
            workgroups: oneEach(quadsOf(n), workgroupSize),
          },
          {
            label: 'SparseTensor.place',
            wgsl: front + text,
            constants,
            bindings: { values: { input: 0 }, indices: { input: 1 }, result: { output: 0 } },
            uniforms: { count: countOf(n) },
            workgroups: oneEach(Math.max(1, countOf(n)), workgroupSize),
          },
        ];
      },
    },
  ],
});

const places = (...values: readonly number[]) => ({ dtype: 'int64' as const, values });

export const cases: OpCase[] = [
  {
    name: 'in the order of memory',
    inputs: [{ dims: [4] }, { ...places(0, 3, 7, 34), dims: [4] }],
    attributes: { dims: [5, 7] },
  },
  {
    name: 'by rows and columns',
    inputs: [{ dims: [3] }, { ...places(0, 2, 3, 0, 3, 6), dims: [3, 2] }],
    attributes: { dims: [5, 7] },
  },
  {
    name: 'of four axes, float16',
    inputs: [
      { dims: [2], dtype: 'float16' },
      { ...places(0, 0, 2, 1, 2, 1, 0, 0), dims: [2, 4] },
    ],
    attributes: { dims: [3, 2, 3, 3] },
  },
  {
    name: 'int32',
    inputs: [
      { dims: [2], dtype: 'int32' },
      { ...places(1, 2), dims: [2] },
    ],
    attributes: { dims: [3] },
  },
  {
    name: 'int8',
    inputs: [
      { dims: [5], dtype: 'int8', range: [-128, 127] },
      { ...places(1, 2, 3, 20, 34), dims: [5] },
    ],
    attributes: { dims: [5, 7] },
  },
  { name: 'nothing but zeros', inputs: [{ dims: [0] }, { ...places(), dims: [0] }], attributes: { dims: [3, 3] } },
];
