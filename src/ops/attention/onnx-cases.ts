// Cases of Attention: what it adds to lepton.Attention. The forms of masks and heads are that one's.

import type { OpCase } from '../../ir/opdef';

const tolerance = 2e-5;
const packed = { q_num_heads: 4, kv_num_heads: 2 };

export const onnxCases: OpCase[] = [
  {
    name: 'packed heads after a past, causal, everything asked for',
    inputs: [
      { dims: [2, 3, 32] },
      { dims: [2, 3, 16] },
      { dims: [2, 3, 12] },
      { dims: [3, 7], range: [-2, 2] },
      { dims: [2, 2, 4, 8] },
      { dims: [2, 2, 4, 6] },
    ],
    attributes: { ...packed, is_causal: 1, softcap: 2, qk_matmul_output_mode: 2 },
    outputs: 4,
    tolerance,
  },
  {
    name: 'packed heads, present keys and values',
    inputs: [{ dims: [2, 5, 32] }, { dims: [2, 3, 16] }, { dims: [2, 3, 12] }],
    attributes: { ...packed, scale: 0.2 },
    outputs: 3,
    tolerance,
  },
  {
    name: 'keys before padding',
    inputs: [
      { dims: [2, 2, 3, 8] },
      { dims: [2, 2, 9, 8] },
      { dims: [2, 2, 9, 8] },
      undefined,
      undefined,
      undefined,
      { dtype: 'int64', dims: [2], values: [4, 9] },
    ],
    attributes: { is_causal: 1 },
    tolerance,
  },
  {
    name: 'mask of integers',
    inputs: [{ dims: [1, 2, 3, 8] }, { dims: [1, 2, 5, 8] }, { dims: [1, 2, 5, 8] }, { dtype: 'int32', dims: [3, 5] }],
    tolerance,
  },
];
