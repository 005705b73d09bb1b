// Layers of several inputs: Add, Subtract, Multiply, Average, Maximum, Minimum, element by element, and Concatenate.

import { number } from '../../base/options';
import { type Call, defineLayer, formatShape, type Sized } from '../layer';
import { Tensor } from '../tensor';
import type { Shape } from '../types';

/** The inputs' values in one order of axes, and what is made of them. */
function together({ b, inputs }: Call): { names: string[]; made: (name: string) => Tensor } {
  const { rank } = inputs[0] as Tensor;
  if (inputs.some(({ isFirst }) => isFirst) && inputs.every((input) => input.rank === rank)) {
    return { names: inputs.map((input) => input.channelsFirst()), made: (name) => Tensor.channelsFirst(b, name) };
  }
  return { names: inputs.map((input) => input.plain()), made: (name) => Tensor.plain(b, name) };
}

/** The common shape under broadcasting; a size that is not known is taken for the one that the others have. */
function common(layer: Sized): Shape {
  const rank = Math.max(...layer.shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, i) => {
    const sizes = layer.shapes.flatMap((shape) => {
      const at = shape.length - rank + i;
      return at < 0 || shape[at] === 1 ? [] : [shape[at] as number | null];
    });
    const known = [...new Set(sizes.filter((size) => size !== null))];
    if (known.length > 1) layer.fail('needs inputs of one shape');
    return known[0] ?? (sizes.length > 0 ? null : 1);
  });
}

function merge(className: string, op: string, most = Infinity) {
  return defineLayer({
    className,
    options: {},
    arity: [2, most],
    outputShape: common,
    call(layer) {
      const { names, made } = together(layer);
      return made(layer.f.of(op, ...names));
    },
  });
}

const concatenateOptions = { axis: number(-1) };

function axisOf(layer: Sized<typeof concatenateOptions>): number {
  const { axis } = layer.config;
  const rank = layer.shape.length;
  const at = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(at) || at < 1 || at >= rank) layer.fail(`joins along axis ${axis}, which its inputs must have`);
  return at;
}

const concatenate = defineLayer({
  className: 'Concatenate',
  options: concatenateOptions,
  arity: [2, Infinity],
  outputShape(layer: Sized<typeof concatenateOptions>) {
    const axis = axisOf(layer);
    const { shape, shapes } = layer;
    const fits = shapes.every(
      (other) =>
        other.length === shape.length &&
        other.every((size, i) => i === axis || size === null || shape[i] === null || size === shape[i]),
    );
    if (!fits) layer.fail(`needs inputs that differ from ${formatShape(shape)} along axis ${axis} only`);
    const sizes = shapes.map((other) => other[axis] as number | null);
    const whole = sizes.includes(null) ? null : sizes.reduce<number>((a, size) => a + (size as number), 0);
    return shape.map((size, i) => (i === axis ? whole : size));
  },
  call(layer: Call<typeof concatenateOptions>) {
    const { names, made } = together(layer);
    const { rank } = layer.input;
    const axis = axisOf(layer);
    const isFirst = made(names[0] as string).isFirst;
    const at = !isFirst ? axis : axis === rank - 1 ? 1 : axis + 1;
    return made(layer.f.node('Concat', names, { axis: at }));
  },
});

export default [
  merge('Add', 'Sum'),
  merge('Subtract', 'Sub', 2),
  merge('Multiply', 'Mul', 2),
  merge('Average', 'Mean'),
  merge('Maximum', 'Max'),
  merge('Minimum', 'Min'),
  concatenate,
];
