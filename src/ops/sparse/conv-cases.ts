// Cases of Conv with weights that are mostly zeros: in every form of convolution that reads its pixels differently, at odd
// sizes, and the shapes that an output channel's weights can take.

import type { OpCase } from '../../ir/opdef';

interface Sizes {
  readonly name: string;
  readonly x: readonly number[];
  readonly w: readonly number[];
  readonly bias?: boolean;
  readonly attributes?: OpCase['attributes'];
  readonly dtype?: 'float16';
}

function conv({ name, x, w, bias = true, attributes, dtype }: Sizes): OpCase {
  const type = dtype ? { dtype } : {};
  return {
    name: `sparse weights: ${name}`,
    inputs: [
      { dims: x, ...type },
      { dims: w, constant: true, zeros: 0.8, ...type },
      bias ? { dims: [w[0] as number], constant: true, ...type } : undefined,
    ],
    ...(attributes && { attributes }),
    tolerance: dtype ? 2e-3 : 2e-5,
  };
}

/** Output channel `i` has weights at `lengths[i]` of its `channels` inputs. */
function ofLengths(name: string, lengths: readonly number[], channels: number): OpCase {
  const values = lengths.flatMap((length) => {
    const row = new Array<number>(channels).fill(0);
    for (let i = 0; i < length; i++) row[Math.floor((i * channels) / length)] = 1 + ((7 * i) % 5) / 4;
    return row;
  });
  return {
    name: `sparse weights: ${name}`,
    inputs: [{ dims: [1, channels, 4, 9] }, { dims: [lengths.length, channels, 1, 1], values, constant: true }],
    tolerance: 2e-5,
  };
}

const same = { pads: [1, 1, 1, 1] };

export const sparseConvCases: OpCase[] = [
  conv({ name: 'pointwise, whole quads, two images', x: [2, 19, 8, 12], w: [23, 19, 1, 1] }),
  conv({ name: 'pointwise, twelve quads', x: [1, 33, 4, 12], w: [10, 33, 1, 1], bias: false }),
  conv({ name: 'pointwise, nine quads', x: [3, 21, 6, 6], w: [17, 21, 1, 1] }),
  conv({ name: 'pointwise, ragged', x: [2, 33, 7, 7], w: [10, 33, 1, 1] }),
  conv({ name: 'pointwise, two groups', x: [1, 44, 3, 43], w: [6, 22, 1, 1], attributes: { group: 2 } }),
  conv({ name: 'pointwise stride 2', x: [1, 18, 7, 9], w: [5, 18, 1, 1], attributes: { strides: [2, 2] } }),
  conv({ name: 'pointwise on one pixel', x: [3, 37, 1, 1], w: [21, 37, 1, 1] }),
  conv({ name: '3×3 padded', x: [1, 8, 12, 12], w: [16, 8, 3, 3], attributes: same }),
  conv({ name: '3×3, ragged in every size', x: [2, 5, 7, 9], w: [11, 5, 3, 3], bias: false, attributes: same }),
  conv({ name: '3×3 over many pixels', x: [1, 9, 23, 21], w: [19, 9, 3, 3], attributes: same }),
  conv({
    name: '5×3 with uneven pads, strides and dilations, three groups',
    x: [2, 9, 14, 11],
    w: [15, 3, 5, 3],
    attributes: { group: 3, pads: [1, 0, 2, 1], strides: [1, 2], dilations: [2, 1] },
  }),
  conv({
    name: '3×3 with uneven pads, strided and dilated along rows, two groups',
    x: [2, 6, 11, 13],
    w: [8, 3, 3, 3],
    attributes: { group: 2, pads: [2, 0, 1, 3], strides: [1, 2], dilations: [1, 2] },
  }),
  conv({ name: 'one axis', x: [2, 5, 128], w: [7, 5, 4], attributes: { pads: [2, 1], strides: [3] } }),
  conv({
    name: 'three axes',
    x: [2, 3, 5, 6, 7],
    w: [5, 3, 3, 2, 3],
    attributes: { pads: [1, 0, 1, 1, 1, 1], strides: [2, 1, 2] },
  }),
  conv({
    name: 'more places than 16 bits number',
    x: [1, 800, 30, 5],
    w: [2, 800, 3, 3],
    bias: false,
    attributes: { ...same, strides: [3, 1] },
  }),
  conv({ name: 'pointwise, float16', x: [2, 16, 5, 8], w: [10, 16, 1, 1], dtype: 'float16' }),
  conv({ name: '3×3, float16', x: [1, 6, 9, 9], w: [10, 6, 3, 3], attributes: same, dtype: 'float16' }),
  ofLengths('outputs without any, and one with all', [0, 3, 31, 0, 0, 1, 2], 31),
  ofLengths('nothing but zeros', [0, 0, 0], 31),
];
