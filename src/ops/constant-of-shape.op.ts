// ConstantOfShape: a tensor of one value. A small one is folded on the host; a large one is filled on the
// GPU, word by word, whatever its type.

import text from '../../shaders/fill.wgsl?raw';
import { toDevice } from '../base/device-form';
import { byteSize, deviceBytes, deviceType } from '../base/dtype';
import { encode, type NDArray, ndarray } from '../base/ndarray';
import { ceilDiv, sizeOf } from '../base/shape';
import { type TensorAttribute, tensor } from '../ir/attributes';
import type { NodeView } from '../ir/node-view';
import { defineOp, type OpCase } from '../ir/opdef';
import { oneEach } from './wgsl/dispatch';

const workgroupSize = 64;

type View = NodeView<{ readonly value: TensorAttribute | undefined }>;

function fillValue(n: View): NDArray {
  const { value } = n.attributes;
  if (!value) return ndarray('float32', [1]);
  const { constant } = value;
  if (constant.kind !== 'inline' || constant.array.data.length !== 1) n.fail('has a value that is not one element');
  return (constant as { array: NDArray }).array;
}

/** The value as it stands in device memory, repeated to fill a word. */
function wordOf(n: View): number {
  const value = fillValue(n);
  const to = deviceType(value.dtype);
  const bytes = toDevice(value.dtype, to, encode(value), n.node.name).slice(0, byteSize(to));
  const word = new DataView(new ArrayBuffer(4));
  for (let i = 0; i < 4; i++) word.setUint8(i, bytes[i % bytes.length] as number);
  return word.getUint32(0, true);
}

const quadsOf = (n: View) => deviceBytes(n.output(0).dtype, sizeOf(n.output(0).dims)) / 16;

export default defineOp({
  name: 'ConstantOfShape',
  attributes: { value: tensor() },
  infer(n) {
    const dims = n.numbers(0) ?? n.fail('lacks its shape (input 0)');
    return [{ dtype: fillValue(n).dtype, dims }];
  },
  reference(n) {
    const value = fillValue(n);
    const out = ndarray(value.dtype, n.numbers(0) ?? []);
    out.data.fill(value.data[0] as number);
    return [out];
  },
  kernels: [
    {
      name: 'fill',
      cost: (n) => ({ flops: 0, traffic: 16 * quadsOf(n), workgroups: ceilDiv(quadsOf(n), workgroupSize) }),
      dispatches: (n) => [
        {
          label: 'ConstantOfShape.fill',
          wgsl: text,
          constants: { workgroup_size: workgroupSize },
          bindings: { result: { output: 0 } },
          uniforms: { quads: quadsOf(n), word: wordOf(n) },
          workgroups: oneEach(quadsOf(n), workgroupSize),
        },
      ],
    },
  ],
});

// More elements than are folded on the host, so that the kernel runs.
function valueCase(dtype: NDArray['dtype'], value: number): OpCase {
  const array = ndarray(dtype, [1], [value]);
  return {
    name: `${dtype} ${value}`,
    inputs: [{ dtype: 'int64', dims: [2], values: [3, 21_847], constant: true }],
    attributes: { value: { tensor: { dtype, dims: [1], constant: { kind: 'inline', array } } } },
  };
}

export const cases: OpCase[] = [
  { name: 'zeros by default', inputs: [{ dtype: 'int64', dims: [1], values: [5], constant: true }] },
  valueCase('float32', -2.5),
  valueCase('float16', 1.5),
  valueCase('int64', -3),
  valueCase('uint8', 200),
  valueCase('int16', -2),
  valueCase('bool', 1),
  valueCase('int4', -3),
  valueCase('bfloat16', 1.5),
  valueCase('float8e5m2', -0.25),
];
