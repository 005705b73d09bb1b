// Det: determinants of square matrices, the last two axes of the input.

import text from '../../shaders/det.wgsl?raw';
import { byteSize, deviceType, isFloat } from '../base/dtype';
import { ndarray } from '../base/ndarray';
import { formatDims, sizeOf } from '../base/shape';
import type { NodeView } from '../ir/node-view';
import { defineOp, type OpCase } from '../ir/opdef';
import { foldWorkgroups, linearHelpers } from './wgsl/dispatch';
import { wordType } from './wgsl/elements';

const workgroupSize = 64;

function layout(n: NodeView) {
  const { dtype, dims } = n.input(0);
  const size = dims.at(-1);
  if (!isFloat(dtype)) n.fail(`has a matrix of ${dtype}; expected floats`);
  if (dims.length < 2 || size === undefined || dims.at(-2) !== size)
    n.fail(`has an input ${formatDims(dims)}; expected square matrices in the last two axes`);
  return { size, dims: dims.slice(0, -2), matrices: sizeOf(dims.slice(0, -2)) };
}

/** Gaussian elimination with row pivots, in place. */
function determinant(m: Float64Array, size: number): number {
  const at = (row: number, column: number) => m[row * size + column] as number;
  let product = 1;
  for (let k = 0; k < size; k++) {
    let pivot = k;
    for (let row = k + 1; row < size; row++) if (Math.abs(at(row, k)) > Math.abs(at(pivot, k))) pivot = row;
    if (at(pivot, k) === 0) return 0;
    if (pivot !== k) {
      const held = m.slice(k * size, (k + 1) * size);
      m.copyWithin(k * size, pivot * size, (pivot + 1) * size);
      m.set(held, pivot * size);
      product = -product;
    }
    product *= at(k, k);
    for (let row = k + 1; row < size; row++) {
      const factor = at(row, k) / at(k, k);
      for (let column = k + 1; column < size; column++)
        m[row * size + column] = at(row, column) - factor * at(k, column);
    }
  }
  return product;
}

export default defineOp({
  name: 'Det',
  attributes: {},
  infer: (n) => [{ dtype: n.input(0).dtype, dims: layout(n).dims }],
  reference(n, [x]) {
    const { size, dims } = layout(n);
    const source = x?.data ?? n.fail('lacks its input');
    const out = ndarray(n.input(0).dtype, dims);
    for (let i = 0; i < out.data.length; i++)
      out.data[i] = determinant(Float64Array.from(source.subarray(i * size ** 2, (i + 1) * size ** 2)), size);
    return [out];
  },
  kernels: [
    {
      name: 'elimination',
      cost(n) {
        const { size, matrices } = layout(n);
        const steps = (matrices * size ** 3) / 3;
        return {
          flops: 4 * steps,
          traffic: 16 * steps + (4 + byteSize(deviceType(n.input(0).dtype))) * matrices * size ** 2,
          workgroups: matrices,
        };
      },
      dispatches(n) {
        const { size, matrices } = layout(n);
        return [
          {
            label: 'Det.elimination',
            wgsl: `alias elem = ${wordType(n.input(0).dtype)};\n${linearHelpers}\n${text}`,
            constants: { workgroup_size: workgroupSize },
            bindings: {
              x: { input: 0 },
              work: { scratch: 'work', bytes: Math.max(16, 4 * matrices * size ** 2) },
              result: { output: 0 },
            },
            uniforms: { matrices, size },
            workgroups: foldWorkgroups(matrices),
          },
        ];
      },
    },
  ],
});

export const cases: OpCase[] = [
  { name: 'rows to swap', inputs: [{ dims: [3, 3], values: [0, 2, 1, 4, 0, 3, 1, 5, 0] }] },
  { name: 'singular', inputs: [{ dims: [3, 3], values: [1, 2, 3, 2, 4, 6, 1, 0, 1] }] },
  { name: 'many small ones', inputs: [{ dims: [5, 13, 2, 2] }] },
  { name: 'one by one', inputs: [{ dims: [3, 1, 1] }] },
  { name: '17 by 17', inputs: [{ dims: [2, 17, 17] }], tolerance: 1e-4 },
  { name: 'float16', inputs: [{ dtype: 'float16', dims: [4, 3, 3] }], tolerance: 4e-3 },
];
