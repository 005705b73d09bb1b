// ConvTranspose: the gradient of a convolution over 1 to 3 spatial axes, as an operator of its own. Inputs:
// x [batch, channels, spatial…], weights [channels, outputs / group, kernel…], bias [outputs].
//
// The kernels gather: each output sums the inputs that reach it, so no two invocations write one element.

import { int64s } from '../base/ndarray';
import { defineOp, type LowerBuilder, type OpCase } from '../ir/opdef';
import { columns } from './conv/columns';
import { direct } from './conv/direct';
import { transposeGrad } from './conv/grad';
import type { Convolution } from './conv/parts';
import { asConvolution } from './conv/phases';
import { quad } from './conv/quad';
import { staged } from './conv/staged';
import {
  blockSize,
  type TransposeAttributes,
  type TransposeNode,
  transposeAttributes,
  transposeReference,
  transposeShape,
  transposeWeightSteps,
} from './conv/transpose';

const kind: Convolution<TransposeAttributes> = {
  sizes: transposeShape,
  weightSteps: transposeWeightSteps,
  transposed: true,
};

export default defineOp({
  name: 'ConvTranspose',
  attributes: transposeAttributes,
  infer(n) {
    const { batch, groups, groupOut, window } = transposeShape(n);
    return [{ dtype: n.input(0).dtype, dims: [batch, groups * groupOut, ...window.output.slice(3 - window.rank)] }];
  },
  reference: transposeReference,
  grad: transposeGrad,
  lower(n, b) {
    const block = blockSize(transposeShape(n));
    const result = block === undefined ? asConvolution(n, b) : asBlocks(n, b, block);
    return result === undefined ? undefined : [result];
  },
  kernels: [staged(kind, 'windows'), columns(kind), quad(kind), direct(kind)],
});

/**
 * Where windows are blocks that neither overlap nor leave gaps, each input pixel becomes one block: a 1×1
 * convolution to all of a block's pixels as channels, and their move into place. Saves the masked taps.
 */
function asBlocks(n: TransposeNode, b: LowerBuilder, block: number): string {
  const { channels, groupOut } = transposeShape(n);
  const [x, w, bias = ''] = n.node.inputs as [string, string, string?];
  const area = block * block;
  const reshape = (name: string, dims: readonly number[]) =>
    b.add('Reshape', [name, b.constant(int64s(dims))])[0] as string;
  const columns = b.add('Transpose', [reshape(w, [channels, groupOut * area])], { perm: [1, 0] })[0] as string;
  const inputs = [x, reshape(columns, [groupOut * area, channels, 1, 1])];
  if (bias !== '') {
    const spread = b.add('Expand', [reshape(bias, [groupOut, 1]), b.constant(int64s([groupOut, area]))])[0] as string;
    inputs.push(reshape(spread, [groupOut * area]));
  }
  return b.add('DepthToSpace', b.add('Conv', inputs), { blocksize: block, mode: 'CRD' })[0] as string;
}

function transposed(
  name: string,
  x: readonly number[],
  w: readonly number[],
  attributes: OpCase['attributes'] = {},
  bias?: number,
): OpCase {
  return {
    name,
    inputs: [{ dims: x }, { dims: w, constant: true }, ...(bias ? [{ dims: [bias], constant: true }] : [])],
    attributes,
    tolerance: 2e-5,
  };
}

export const cases: OpCase[] = [
  transposed('3×3', [1, 2, 3, 3], [2, 5, 3, 3], {}, 5),
  transposed('2×2 stride 2, ragged', [2, 5, 5, 7], [5, 6, 2, 2], { strides: [2, 2] }, 6),
  transposed('3×3 stride 3, without bias', [1, 4, 3, 5], [4, 3, 3, 3], { strides: [3, 3] }),
  transposed('4×4 stride 2, padded', [1, 7, 6, 6], [7, 9, 4, 4], { strides: [2, 2], pads: [1, 1, 1, 1] }, 9),
  transposed('uneven strides, pads and output_padding', [1, 3, 4, 5], [3, 4, 3, 2], {
    strides: [3, 2],
    pads: [1, 0, 0, 1],
    output_padding: [1, 1],
  }),
  transposed('dilations', [1, 3, 4, 4], [3, 2, 2, 3], { dilations: [2, 2] }, 2),
  transposed('groups', [2, 6, 4, 5], [6, 3, 3, 3], { group: 3, strides: [2, 1] }, 9),
  transposed('output_shape', [1, 2, 3, 3], [2, 2, 3, 3], { strides: [3, 2], output_shape: [10, 8] }),
  transposed('auto_pad SAME_UPPER', [1, 2, 3, 3], [2, 3, 4, 3], { strides: [2, 2], auto_pad: 'SAME_UPPER' }),
  transposed('auto_pad SAME_LOWER', [1, 2, 3, 3], [2, 3, 4, 3], { strides: [3, 2], auto_pad: 'SAME_LOWER' }),
  transposed('one axis', [1, 3, 43], [3, 4, 3], { strides: [3] }, 4),
  transposed('three axes', [1, 2, 3, 2, 3], [2, 3, 2, 3, 2], { strides: [2, 1, 2], pads: [1, 0, 0, 0, 1, 1] }, 3),
  transposed(
    'strides and dilations',
    [2, 3, 5, 6],
    [3, 5, 3, 2],
    { strides: [2, 3], dilations: [3, 2], pads: [1, 2, 0, 1] },
    5,
  ),
  transposed(
    'strides and dilations, groups',
    [1, 6, 4, 5],
    [6, 3, 2, 3],
    { strides: [2, 2], dilations: [1, 3], group: 2 },
    6,
  ),
  transposed('strides and dilations, one axis', [2, 5, 21], [5, 7, 4], { strides: [3], dilations: [2] }, 7),
  transposed('depthwise', [2, 5, 6, 7], [5, 1, 3, 3], { strides: [2, 2], pads: [1, 1, 1, 1], group: 5 }),
  transposed('more padding than a window reaches', [1, 2, 6, 7], [2, 3, 2, 3], { pads: [2, 1, 0, 3] }),
  transposed('pointwise', [1, 6, 3, 4], [6, 5, 1, 1], {}, 5),
];
