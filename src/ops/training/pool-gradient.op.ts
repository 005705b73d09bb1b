// What pooling's backward rules are made of, in the attributes of the pooling.
//
// lepton.MaxPoolGradient: x [batch, channels, spatial…] and the gradient of the pooled values → x's gradient: each goes to
// the first of the largest elements of its window.
// lepton.SumPoolGradient: the gradient dy of the sum of each window → x's gradient; `size` is x's spatial axes.

import { type NDArray, ndarray } from '../../base/ndarray';
import { forEachIndex, sameDims, sizeOf } from '../../base/shape';
import { type AttributesOf, ints } from '../../ir/attributes';
import { NodeView } from '../../ir/node-view';
import { defineOp, type OpCase } from '../../ir/opdef';
import { poolCases } from '../pool/cases';
import { gatherGradient, pairsGradient } from '../pool/gradient-kernels';
import { poolAttributes, poolType, poolWindow } from '../pool/shape';
import { forEachTap, perAxis, slidingWindow, type Window } from '../window';

const sumAttributes = { ...poolAttributes, size: ints() };
type SumNode = NodeView<AttributesOf<typeof sumAttributes>>;

function sumWindow(n: SumNode): Window {
  const { size, kernel_shape, ceil_mode } = n.attributes;
  if (!size || !kernel_shape) n.fail('lacks the attribute "size" or "kernel_shape"');
  const window = slidingWindow(n, size, perAxis(n, 'kernel_shape', kernel_shape, size.length, 1), ceil_mode === 1);
  const expected = window.output.slice(3 - window.rank);
  if (!sameDims(n.input(0).dims.slice(2), expected)) n.fail(`needs a gradient with spatial axes of [${expected}]`);
  return window;
}

/** Gives each window's gradient to its elements: `share` calls back with those that take it, by tap offsets. */
function spread(
  window: Window,
  dx: NDArray,
  dy: NDArray,
  share: (offsets: readonly number[], plane: number) => readonly number[],
): NDArray[] {
  const [inputStep, outputStep] = [sizeOf(window.input), sizeOf(window.output)];
  const planes = (dx.dims[0] as number) * (dx.dims[1] as number);
  forEachIndex(window.output, (at, pixel) => {
    const offsets: number[] = [];
    forEachTap(window, at, (_, offset) => offsets.push(offset));
    for (let plane = 0; plane < planes; plane++) {
      const out = plane * outputStep + pixel;
      for (const offset of share(offsets, plane * inputStep)) {
        const to = plane * inputStep + offset;
        dx.data[to] = (dx.data[to] as number) + (dy.data[out] as number);
      }
    }
  });
  return [dx];
}

const maxPoolGradient = defineOp({
  name: 'lepton.MaxPoolGradient',
  attributes: poolAttributes,
  infer(n) {
    const { dims } = poolType(n);
    if (!sameDims(n.input(1).dims, dims)) n.fail(`needs a gradient of shape [${dims}]`);
    return [{ dtype: n.input(0).dtype, dims: n.input(0).dims }];
  },
  reference(n, inputs) {
    const [x, dy] = inputs as [NDArray, NDArray];
    return spread(poolWindow(n), ndarray(x.dtype, x.dims), dy, (offsets, plane) => {
      const values = offsets.map((offset) => x.data[plane + offset] as number);
      return offsets.slice(values.indexOf(Math.max(...values)), values.indexOf(Math.max(...values)) + 1);
    });
  },
  kernels: [pairsGradient(poolWindow), gatherGradient(poolWindow, true)],
});

const sumPoolGradient = defineOp({
  name: 'lepton.SumPoolGradient',
  attributes: sumAttributes,
  infer(n) {
    const { dtype, dims } = n.input(0);
    sumWindow(n);
    return [{ dtype, dims: [...dims.slice(0, 2), ...(n.attributes.size ?? [])] }];
  },
  reference(n, inputs) {
    const [dy] = inputs as [NDArray];
    const dims = [...dy.dims.slice(0, 2), ...(n.attributes.size ?? [])];
    return spread(sumWindow(n), ndarray(dy.dtype, dims), dy, (offsets) => offsets);
  },
  kernels: [gatherGradient(sumWindow, false)],
});

export default [maxPoolGradient, sumPoolGradient];

/** Elements of a few values only, so that windows have several that are the largest. */
function valuesOf(dims: readonly number[]): number[] {
  return Array.from({ length: sizeOf(dims) }, (_, i) => ((i * 7 + (i >> 2)) % 5) - 2);
}

/** Of the pooled values. */
function pooledDims(dims: readonly number[], attributes: NonNullable<OpCase['attributes']>): readonly number[] {
  const node = { name: 'case', op: 'MaxPool', inputs: [], outputs: [], attributes };
  const defaults = { auto_pad: 'NOTSET', ceil_mode: 0, dilations: undefined, kernel_shape: undefined };
  const own = { ...defaults, pads: undefined, strides: undefined, ...attributes };
  return poolType(new NodeView(node, own, [{ dtype: 'float32', dims, isConstant: false }])).dims;
}

/** Of the cases of pooling, those of floats and of one output. */
function casesLike(op: 'MaxPool' | 'AveragePool'): { name: string; dims: readonly number[]; attributes: object }[] {
  return (poolCases[op] ?? []).flatMap(({ name, inputs, attributes = {}, outputs = 1 }) => {
    const [x] = inputs;
    const { count_include_pad: _, ...rest } = attributes;
    return x && !x.dtype && !x.range && outputs === 1 ? [{ name, dims: x.dims, attributes: rest }] : [];
  });
}

export const cases: Record<string, OpCase[]> = {
  'lepton.MaxPoolGradient': [
    ...casesLike('MaxPool'),
    {
      name: '3×3 stride 2, padded',
      dims: [2, 3, 13, 11],
      attributes: { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] },
    },
  ].flatMap(({ name, dims, attributes }) => {
    const types = name.startsWith('2×2') ? (['float32', 'float16'] as const) : (['float32'] as const);
    return types.map((dtype) => ({
      name: dtype === 'float32' ? name : `${name}, ${dtype}`,
      inputs: [
        { dtype, dims, values: valuesOf(dims) },
        { dtype, dims: pooledDims(dims, { ...attributes }) },
      ],
      attributes: { ...attributes },
    }));
  }),
  'lepton.SumPoolGradient': casesLike('AveragePool').map(({ name, dims, attributes }) => ({
    name,
    inputs: [{ dims: pooledDims(dims, { ...attributes }) }],
    attributes: { ...attributes, size: dims.slice(2) },
  })),
};
