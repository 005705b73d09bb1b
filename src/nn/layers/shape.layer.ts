// Flatten, Reshape, Permute and RepeatVector: the same elements in another shape.

import { int64s } from '../../base/ndarray';
import { whole, wholes } from '../../base/options';
import { defineLayer } from '../layer';
import { permuted, reshaped, Tensor } from '../tensor';

const product = (sizes: readonly (number | null)[]) =>
  sizes.reduce<number | null>((a, size) => (a === null || size === null ? null : a * size), 1);

const flatten = defineLayer({
  className: 'Flatten',
  options: {},
  outputShape: ({ shape }) => [shape[0] as number | null, product(shape.slice(1))],
  call({ b, input }) {
    const [batch = 0, ...rest] = input.dims;
    return Tensor.plain(b, reshaped(b, input.plain(), [batch, rest.reduce((a, size) => a * size, 1)]));
  },
});

/** The target with its -1 filled in; null where that is not known. */
function target(shape: readonly (number | null)[], wanted: readonly number[]): (number | null)[] {
  const whole = product(shape.slice(1));
  const known = wanted.filter((size) => size !== -1).reduce((a, size) => a * size, 1);
  return wanted.map((size) => (size === -1 ? whole && whole / known : size));
}

const reshape = defineLayer({
  className: 'Reshape',
  options: { targetShape: wholes(-1) },
  outputShape(layer) {
    const { shape, config } = layer;
    const wanted = config.targetShape;
    const sizes = target(shape, wanted);
    const whole = product(shape.slice(1));
    const fits = wanted.filter((size) => size === -1).length <= 1 && !wanted.includes(0);
    if (!fits || (whole !== null && product(sizes) !== whole) || sizes.some((s) => s !== null && s % 1 !== 0)) {
      layer.fail(`makes [${wanted.join(', ')}] of each sample, which needs as many elements`);
    }
    return [shape[0] as number | null, ...sizes];
  },
  call({ b, input, config }) {
    const dims = [input.dims[0], ...target(input.dims, config.targetShape)] as number[];
    return Tensor.plain(b, reshaped(b, input.plain(), dims));
  },
});

const permute = defineLayer({
  className: 'Permute',
  /** Axes from 1: the batch stays where it is. */
  options: { dims: wholes(1) },
  outputShape(layer) {
    const { shape, config } = layer;
    const sorted = [...config.dims].sort((a, b) => a - b);
    if (sorted.length !== shape.length - 1 || sorted.some((axis, i) => axis !== i + 1)) {
      layer.fail(`orders the axes [${config.dims.join(', ')}], which must be 1 to the last axis of its input`);
    }
    return [shape[0] as number | null, ...config.dims.map((axis) => shape[axis] as number | null)];
  },
  call: ({ b, input, config }) => Tensor.plain(b, permuted(b, input.plain(), [0, ...config.dims])),
});

const repeatVector = defineLayer({
  className: 'RepeatVector',
  options: { n: whole(1) },
  outputShape(layer) {
    layer.requireRank(2, '[batch, features]');
    const [batch, features] = layer.shape as [number | null, number | null];
    return [batch, layer.config.n, features];
  },
  call({ b, f, input, config }) {
    const [batch, features] = input.dims as [number, number];
    const row = reshaped(b, input.plain(), [batch, 1, features]);
    return Tensor.plain(b, f.node('Expand', [row, b.constant(int64s([batch, config.n, features]))]));
  },
});

export default [flatten, reshape, permute, repeatVector];
