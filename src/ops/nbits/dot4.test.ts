// Rows become int8 only where the node says that it may lose accuracy so, and WGSL has the instruction.

import { describe, expect, it } from 'vitest';
import { plainAdapter } from '../../../e2e/support/adapter';
import { NodeView } from '../../ir/node-view';
import { nbitsDotKernels } from './dot4';

const [k, n, block] = [64, 8, 32];

function node(accuracy_level: number) {
  const attributes = { K: k, N: n, bits: 4, block_size: block, accuracy_level, weight_prepacked: 0 };
  const inputs = [
    { dtype: 'float32', dims: [9, k], isConstant: false },
    { dtype: 'uint8', dims: [n, k / block, block / 2], isConstant: true },
    { dtype: 'float32', dims: [n, k / block], isConstant: true },
  ] as const;
  const outputs = [{ dtype: 'float32', dims: [9, n], isConstant: false }] as const;
  const written = { name: 'product', op: 'lepton.MatMulNBits', inputs: ['a', 'w', 's'], outputs: ['y'], attributes };
  return new NodeView(written, attributes, inputs, outputs);
}

describe('products with rows of int8', () => {
  const packedDot = 'packed_4x8_integer_dot_product';
  const offered = (level: number, ...features: string[]) =>
    nbitsDotKernels.filter((kernel) => kernel.when?.(node(level), plainAdapter({ features })) ?? true).length;

  it('are for accuracy_level 4 alone', () => {
    expect([0, 1, 2, 3, 4].map((level) => offered(level, packedDot))).toEqual([0, 0, 0, 0, 2]);
  });

  it('need the instruction', () => expect(offered(4)).toBe(0));
});
