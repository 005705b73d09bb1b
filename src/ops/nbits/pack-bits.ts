// lepton.PackBits: a matrix of 4- or 8-bit integers [columns, numbers] (`transposed`: [numbers, columns]) as bytes
// [columns, bytes], the numbers of a column one behind the other, the first in the low bits, and 0 past the last one.
// Signed numbers are raised by half their range, so that a zero point of 2^(bits - 1) stands for their 0.

import gatherText from '../../../shaders/nbits-gather.wgsl?raw';
import { bitSize, type DType } from '../../base/dtype';
import { type NDArray, ndarray } from '../../base/ndarray';
import { ceilDiv } from '../../base/shape';
import { int, required } from '../../ir/attributes';
import type { NodeView } from '../../ir/node-view';
import { defineOp } from '../../ir/opdef';
import { linearHelpers, oneEach } from '../wgsl/dispatch';
import { elementAt } from '../wgsl/elements';

const workgroup = 64;

type PackNode = NodeView<{ readonly transposed: number; readonly bytes: number }>;

/** The types of weights that a product can take apart in registers. */
export const packable: readonly DType[] = ['int8', 'uint8', 'int4', 'uint4'];

function layoutOf(n: PackNode) {
  const { dtype, dims } = n.input(0);
  const { transposed, bytes } = n.attributes;
  if (!packable.includes(dtype) || dims.length !== 2) n.fail(`packs matrices of ${packable.join(', ')}`);
  const [first, second] = dims as [number, number];
  const [columns, numbers] = transposed ? [second, first] : [first, second];
  const bits = bitSize(dtype);
  if (numbers * bits > 8 * bytes) n.fail(`has ${numbers} numbers of ${bits} bits for ${bytes} bytes`);
  const [columnStep, step] = transposed ? [1, columns] : [numbers, 1];
  return { columns, numbers, bits, bytes, columnStep, step, raise: dtype.startsWith('int') ? 2 ** (bits - 1) : 0 };
}

export const packBits = defineOp({
  name: 'lepton.PackBits',
  attributes: { transposed: int(0), bytes: required('int') },
  infer: (n) => [{ dtype: 'uint8', dims: [layoutOf(n).columns, n.attributes.bytes] }],
  reference(n, inputs) {
    const { columns, numbers, bits, bytes, columnStep, step, raise } = layoutOf(n);
    const { data } = inputs[0] as NDArray;
    const out = ndarray('uint8', [columns, bytes]);
    for (let column = 0; column < columns; column++) {
      for (let i = 0; i < numbers; i++) {
        const value = (data[column * columnStep + i * step] as number) + raise;
        const at = column * bytes + Math.floor((i * bits) / 8);
        out.data[at] = (out.data[at] as number) + value * 2 ** ((i * bits) % 8);
      }
    }
    return [out];
  },
  kernels: [
    {
      name: 'gather',
      cost(n) {
        const { columns, numbers, bytes } = layoutOf(n);
        return {
          flops: columns * numbers * 10,
          traffic: columns * (4 * numbers + bytes),
          workgroups: ceilDiv(columns * bytes, 4 * workgroup),
        };
      },
      dispatches(n) {
        const { columns, numbers, bits, bytes, columnStep, step, raise } = layoutOf(n);
        const words = ceilDiv(columns * bytes, 4);
        const raw = `(${elementAt('uint8', 'source', 'at')} ^ ${raise}u) & ${2 ** bits - 1}u`;
        return [
          {
            label: 'PackBits.gather',
            wgsl: `${linearHelpers}
@group(0) @binding(0) var<storage, read> source: array<u32>;
fn element(at: u32) -> u32 { return ${raw}; }
${gatherText}`,
            constants: { WORKGROUP: workgroup, BITS: bits },
            bindings: { source: { input: 0 }, packed: { output: 0 } },
            uniforms: { columns, numbers, columnStep, step, bytes, words },
            workgroups: oneEach(words, workgroup),
          },
        ];
      },
    },
  ],
});
