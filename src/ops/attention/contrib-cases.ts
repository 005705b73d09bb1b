// Cases of ONNX Runtime's attention operators: every way to pack operands and to tell padding.

import type { CaseInput, OpCase } from '../../ir/opdef';

const int32 = (dims: number[], ...values: number[]): CaseInput => ({ dtype: 'int32', dims, values });
const bits = (dims: number[]): CaseInput => ({ dtype: 'int32', dims, range: [0, 1] });
const tolerance = 2e-5;
const two = { num_heads: 2 };

export const multiHeadCases: OpCase[] = [
  {
    name: 'bias and numbers of keys',
    inputs: [{ dims: [2, 3, 8] }, { dims: [2, 5, 8] }, { dims: [2, 5, 12] }, { dims: [28] }, int32([2], 2, 5)],
    attributes: two,
    tolerance,
  },
  {
    name: 'packed, causal, scores',
    inputs: [{ dims: [2, 3, 2, 3, 4] }, undefined, undefined, { dims: [24] }],
    attributes: { ...two, unidirectional: 1, scale: 0.3 },
    outputs: 3,
    tolerance,
  },
  {
    name: 'packed keys and values, ranges of keys',
    inputs: [{ dims: [2, 3, 8] }, { dims: [2, 5, 2, 2, 4] }, undefined, undefined, int32([4], 3, 5, 1, 0)],
    attributes: two,
    tolerance,
  },
  {
    name: 'keys by head, attention bias',
    inputs: [
      { dims: [2, 3, 8] },
      { dims: [2, 2, 5, 4] },
      { dims: [2, 2, 5, 4] },
      undefined,
      undefined,
      { dims: [1, 2, 3, 5] },
    ],
    attributes: two,
    tolerance,
  },
  {
    name: 'after a past, mask and bias, everything asked for',
    inputs: [
      { dims: [2, 3, 8] },
      { dims: [2, 3, 8] },
      { dims: [2, 3, 8] },
      undefined,
      bits([2, 3, 7]),
      { dims: [1, 1, 3, 7] },
      { dims: [2, 2, 4, 4] },
      { dims: [2, 2, 4, 4] },
    ],
    attributes: { ...two, mask_filter_value: -5 },
    outputs: 4,
    tolerance,
  },
];

export const selfCases: OpCase[] = [
  {
    name: 'mask by key',
    inputs: [{ dims: [2, 5, 6] }, { dims: [6, 24] }, { dims: [24] }, bits([2, 5])],
    attributes: two,
    tolerance,
  },
  {
    name: 'values of their own size, causal',
    inputs: [{ dims: [2, 5, 6] }, { dims: [6, 28] }],
    attributes: { ...two, unidirectional: 1, qkv_hidden_sizes: [8, 8, 12] },
    tolerance,
  },
  {
    name: 'after a past, square mask',
    inputs: [
      { dims: [2, 3, 6] },
      { dims: [6, 24] },
      { dims: [24] },
      bits([2, 1, 9, 9]),
      { dims: [2, 2, 2, 4, 4] },
      { dims: [2, 1, 3, 7] },
    ],
    attributes: two,
    outputs: 2,
    tolerance,
  },
];

const grouped = { num_heads: 4, kv_num_heads: 2 };
const known = (dims: number[], ...values: number[]): CaseInput => ({ ...int32(dims, ...values), constant: true });
const angles: CaseInput[] = [{ dims: [9, 8] }, { dims: [9, 8] }];

export const groupQueryCases: OpCase[] = [
  {
    name: 'first prompt, padded, turned',
    inputs: [
      { dims: [2, 4, 64] },
      { dims: [2, 4, 32] },
      { dims: [2, 4, 32] },
      undefined,
      undefined,
      int32([2], 3, 1),
      known([], 4),
      ...angles,
    ],
    attributes: { ...grouped, do_rotary: 1 },
    outputs: 3,
    tolerance,
  },
  {
    name: 'a token behind caches of two lengths, packed, turned',
    inputs: [
      { dims: [2, 1, 128] },
      undefined,
      undefined,
      { dims: [2, 2, 5, 16] },
      { dims: [2, 2, 5, 16] },
      int32([2], 5, 3),
      known([], 6),
      ...angles,
    ],
    attributes: { ...grouped, do_rotary: 1, rotary_interleaved: 1, softcap: 2 },
    outputs: 3,
    tolerance,
  },
  {
    name: 'a window into a long buffer, bias and sinks, a part of each head turned by given positions',
    inputs: [
      { dims: [1, 3, 128] },
      { dims: [1, 3, 64] },
      { dims: [1, 3, 64] },
      { dims: [1, 2, 9, 32] },
      { dims: [1, 2, 9, 32] },
      int32([1], 6),
      known([1], 7),
      ...angles,
      { dtype: 'int64', dims: [1, 3], values: [8, 0, 3] },
      { dims: [1, 4, 3, 7] },
      { dims: [4], range: [-2, 2] },
    ],
    attributes: { ...grouped, do_rotary: 1, local_window_size: 4, scale: 0.3 },
    outputs: 3,
    tolerance,
  },
  {
    name: 'normalised heads',
    inputs: [
      { dims: [1, 3, 64] },
      { dims: [1, 3, 32] },
      { dims: [1, 3, 32] },
      undefined,
      undefined,
      int32([1], 2),
      known([], 3),
      ...angles,
      ...new Array(5),
      { dims: [16] },
      { dims: [16] },
    ],
    attributes: { ...grouped, do_rotary: 1 },
    tolerance,
  },
  {
    name: 'both directions, smooth softmax',
    inputs: [
      { dims: [2, 3, 32] },
      { dims: [2, 3, 16] },
      { dims: [2, 3, 16] },
      undefined,
      undefined,
      int32([2], 2, 1),
      known([], 3),
    ],
    attributes: { ...grouped, causal: 0, smooth_softmax: 1 },
    outputs: 3,
    tolerance,
  },
];
