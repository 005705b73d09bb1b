// How scales and zero points (inputs 1 and 2 of a node) belong to the elements of input 0: one for the whole
// tensor, one for every index along an axis, or one for every block of indices along an axis.

import { int64s } from '../../base/ndarray';
import { type Dims, formatDims, sameDims, sizeOf, stridesOf } from '../../base/shape';
import type { NodeView } from '../../ir/node-view';
import type { LowerBuilder } from '../../ir/opdef';
import { axisOf } from '../axes';

export interface Spread {
  readonly axis: number;
  /** Indices along the axis that share a parameter: all of them where there is one for the whole tensor. */
  readonly block: number;
}

type SpreadNode = NodeView<{ readonly axis: number; readonly block_size: number }>;

/** Throws INVALID_MODEL where the scale's shape fits neither the input nor the attributes. */
export function spreadOf(n: SpreadNode): Spread {
  const [x, scale, zero] = [n.input(0).dims, n.input(1).dims, n.inputs[2]?.dims];
  if (zero && !sameDims(zero, scale) && sizeOf(zero) * sizeOf(scale) !== 1)
    n.fail(`has a scale of shape ${formatDims(scale)}, but a zero point of shape ${formatDims(zero)}`);
  const { block_size } = n.attributes;
  if (block_size === 0 && sizeOf(scale) === 1) return { axis: 0, block: x[0] ?? 1 };
  const axis = axisOf(n, n.attributes.axis, x.length);
  const size = x[axis] as number;
  if (block_size === 0) {
    if (!sameDims(scale, [size])) n.fail(`has a scale of shape ${formatDims(scale)}; expected [] or [${size}]`);
    return { axis, block: 1 };
  }
  const expected = x.map((d, i) => (i === axis ? Math.ceil(d / block_size) : d));
  if (!sameDims(scale, expected))
    n.fail(`has a scale of shape ${formatDims(scale)}; blocks of ${block_size} need ${formatDims(expected)}`);
  return { axis, block: block_size };
}

/** The place in the scale of each element of `dims`, given its coordinates. */
export function parameterIndex(dims: Dims, scale: Dims, { axis, block }: Spread): (at: readonly number[]) => number {
  if (sizeOf(scale) === 1) return () => 0;
  if (scale.length === 1 && dims.length !== 1) return (at) => at[axis] as number;
  const strides = stridesOf(scale);
  return (at) => at.reduce((sum, i, d) => sum + (d === axis ? Math.floor(i / block) : i) * (strides[d] as number), 0);
}

export interface SpreadInputs {
  /** Input 0, in a shape to which the parameters broadcast. */
  readonly x: string;
  readonly parameters: readonly string[];
  /** A result of that shape in the shape of input 0 again. */
  restore(result: string): string[];
}

/** Adds views (copies where the last block is cut short) after which scale and zero point broadcast. */
export function spreadInputs(n: SpreadNode, b: LowerBuilder): SpreadInputs {
  const spread = spreadOf(n);
  const { axis, block } = spread;
  const { dims } = n.input(0);
  const scale = n.input(1).dims;
  const x = n.node.inputs[0] as string;
  const names = n.node.inputs.slice(1, 3).filter((name) => name !== '');
  const reshape = (name: string, shape: Dims) =>
    sameDims(b.type(name).dims, shape) ? name : (b.add('Reshape', [name, b.constant(int64s(shape))])[0] as string);
  const each = (shape: Dims) => names.map((name) => reshape(name, shape));
  const untouched = { x, restore: (result: string) => [result] };
  if (sizeOf(scale) === 1) return { ...untouched, parameters: each([]) };
  const [before, size, after] = [dims.slice(0, axis), dims[axis] as number, dims.slice(axis + 1)];
  if (n.attributes.block_size === 0) return { ...untouched, parameters: each([size, ...after.map(() => 1)]) };
  if (size % block === 0) {
    const blocks = size / block;
    return {
      x: reshape(x, [...before, blocks, block, ...after]),
      parameters: each([...before, blocks, 1, ...after]),
      restore: (result) => [reshape(result, dims)],
    };
  }
  const places = b.constant(int64s(Array.from({ length: size }, (_, i) => Math.floor(i / block))));
  return { ...untouched, parameters: names.map((name) => b.add('Gather', [name, places], { axis })[0] as string) };
}
