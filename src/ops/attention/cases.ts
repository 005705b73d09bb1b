// Cases of lepton.Attention: both layouts, shared heads, every way to hide a key, tails of every size.

import type { CaseInput, OpCase } from '../../ir/opdef';
import type { AttentionAttributes } from './problem';

type Operand = CaseInput | undefined;

function attention(
  name: string,
  [batch, heads, kvHeads, queries, keys, depth, valueDepth]: [number, number, number, number, number, number, number],
  attributes: Partial<AttentionAttributes> = {},
  [mask, lengths, sink]: readonly [Operand?, Operand?, Operand?] = [],
  dtype: 'float32' | 'float16' = 'float32',
): OpCase {
  const inputs: Operand[] = [
    { dtype, dims: [batch, heads, queries, depth] },
    { dtype, dims: [batch, kvHeads, keys, depth] },
    { dtype, dims: [batch, kvHeads, keys, valueDepth] },
    mask,
    lengths,
    sink,
  ];
  while (!inputs.at(-1)) inputs.pop();
  return {
    name,
    inputs,
    attributes: { scale: 1 / Math.sqrt(depth), ...attributes },
    tolerance: dtype === 'float16' ? 4e-3 : 2e-5,
  };
}

const lengths = (...values: number[]): CaseInput => ({ dtype: 'int64', dims: [values.length], values });
const holes = (dims: number[]): CaseInput => {
  const size = dims.reduce((a, d) => a * d, 1);
  const values = Array.from({ length: size }, (_, i) => (i % 3 === 1 ? Number.NEGATIVE_INFINITY : Math.sin(i)));
  return { dims, values };
};
const bools = (dims: number[]): CaseInput => ({ dtype: 'bool', dims, range: [0, 2] });

export const attentionCases: OpCase[] = [
  attention('odd sizes', [2, 3, 3, 5, 7, 6, 10]),
  attention('tails of tiles', [1, 2, 2, 33, 65, 36, 40]),
  attention('shared heads', [2, 6, 2, 3, 129, 8, 12]),
  attention('a token over many keys', [1, 4, 1, 1, 515, 32, 32]),
  attention('wide heads', [1, 1, 1, 3, 9, 12, 516]),
  attention('soft cap', [1, 2, 2, 5, 9, 8, 8], { softcap: 0.5, scale: 3 }),
  attention('causal', [1, 4, 2, 37, 37, 8, 8], { causal: 1 }),
  attention('causal in a window', [1, 4, 2, 37, 70, 8, 8], { causal: 1, offset: 33, window: 9 }),
  attention('causal from the end, some rows empty', [3, 2, 1, 4, 9, 8, 8], { causal: 1, fromEnd: 1 }, [
    undefined,
    lengths(2, 9, 6),
  ]),
  attention('valid keys', [3, 2, 2, 2, 70, 8, 8], {}, [undefined, lengths(0, 70, 35)]),
  attention('mask', [2, 4, 2, 5, 11, 8, 8], {}, [holes([2, 4, 5, 11])]),
  attention('mask of fewer keys, broadcast', [2, 2, 2, 5, 11, 8, 8], {}, [holes([2, 1, 1, 6])]),
  attention('bool mask, causal', [2, 4, 2, 5, 9, 8, 8], { causal: 1, offset: 4 }, [bools([5, 9])]),
  attention('a row without keys', [1, 1, 1, 2, 3, 4, 4], {}, [
    { dtype: 'bool', dims: [2, 3], values: [0, 0, 0, 1, 0, 1] },
  ]),
  attention('smallest numbers as mask', [1, 1, 1, 2, 3, 4, 4], {}, [
    { dims: [3], values: [-3.4028234663852886e38, -3.4028234663852886e38, -3.4028234663852886e38] },
  ]),
  attention('sinks', [2, 4, 2, 5, 9, 8, 8], { causal: 1 }, [undefined, lengths(0, 9), { dims: [4], range: [-2, 2] }]),
  attention('float16', [1, 4, 2, 5, 70, 16, 12], { causal: 1, offset: 65 }, [], 'float16'),
  {
    name: 'packed heads',
    inputs: [{ dims: [2, 5, 24] }, { dims: [2, 9, 12] }, { dims: [2, 9, 18] }, { dims: [2, 6, 5, 9] }],
    attributes: { heads: 6, kvHeads: 3, scale: 0.5 },
  },
  {
    name: 'packed heads, lines of blocks of sixteen',
    inputs: [{ dims: [2, 19, 96] }, { dims: [2, 23, 48] }, { dims: [2, 23, 32] }],
    attributes: { heads: 2, kvHeads: 1 },
    tolerance: 2e-5,
  },
  {
    name: 'queries, keys and values in one',
    inputs: [{ dims: [2, 7, 40] }, undefined, undefined, { dims: [2, 4, 7, 7] }],
    attributes: { heads: 4, kvHeads: 2, scale: 0.5 },
  },
  {
    name: 'queries, keys and values in one, lines of blocks of sixteen',
    inputs: [{ dims: [2, 35, 96] }],
    attributes: { heads: 2, kvHeads: 2, causal: 1 },
    tolerance: 2e-5,
  },
  {
    name: 'queries, keys and values in one, with scores',
    inputs: [{ dims: [2, 5, 24] }],
    attributes: { heads: 2, kvHeads: 1, stage: 3 },
    outputs: 2,
    tolerance: 2e-5,
  },
  {
    name: 'packed queries, keys by head',
    inputs: [{ dims: [2, 5, 12] }, { dims: [2, 3, 9, 4] }, { dims: [2, 3, 9, 6] }],
    attributes: { heads: 3, scale: 0.5 },
  },
  ...[1, 2].map((stage) => ({
    ...attention(`scores of stage ${stage}`, [2, 4, 2, 5, 9, 8, 12], { causal: 1, offset: 2, softcap: 2, stage }, [
      holes([5, 9]),
    ]),
    outputs: 2,
  })),
  {
    ...attention('scores with sinks', [2, 4, 2, 5, 9, 8, 12], { stage: 3 }, [undefined, lengths(3, 9), { dims: [4] }]),
    outputs: 2,
  },
];
