// Operators that give the same elements another shape, and so cost nothing: Reshape, Squeeze, Unsqueeze,
// Flatten and Identity.

import { type NDArray, ndarray } from '../base/ndarray';
import { formatDims, sizeOf } from '../base/shape';
import { type AttributeSchema, type AttributesOf, int } from '../ir/attributes';
import type { NodeView } from '../ir/node-view';
import { defineOp, type OpCase, type OpDef } from '../ir/opdef';
import { axesOf } from './axes';
import { reshape as withDims } from './gradient';

function viewOp<S extends AttributeSchema>(
  name: string,
  attributes: S,
  shape: (n: NodeView<AttributesOf<S>>) => number[],
): OpDef<S> {
  return defineOp<S>({
    name,
    attributes,
    view: true,
    infer: (n) => [{ dtype: n.input(0).dtype, dims: shape(n) }],
    reference: (n, [x]) => [reshaped(x ?? n.fail('lacks its input'), shape(n))],
    grad: (n, b, [gradient]) => [gradient && withDims(b, gradient, n.input(0).dims)],
  });
}

function reshaped(x: NDArray, dims: readonly number[]): NDArray {
  return ndarray(x.dtype, dims, x.data);
}

const reshape = viewOp('Reshape', { allowzero: int(0) }, (n) => {
  const { dims } = n.input(0);
  const wanted = n.numbers(1) ?? n.fail('lacks its shape (input 1)');
  const out = wanted.map((d, i) => {
    if (d !== 0 || n.attributes.allowzero === 1) return d;
    return dims[i] ?? n.fail(`copies dimension ${i} of an input of rank ${dims.length}`);
  });
  const unknown = out.indexOf(-1);
  if (out.some((d, i) => d < 0 && i !== unknown)) n.fail(`asks for the shape ${formatDims(wanted)}; one -1 is allowed`);
  if (unknown >= 0) {
    const rest = out.reduce((product, d, i) => (i === unknown ? product : product * d), 1);
    out[unknown] = rest === 0 ? 0 : sizeOf(dims) / rest;
  }
  if (sizeOf(out) !== sizeOf(dims) || !out.every(Number.isInteger)) {
    n.fail(`asks for the shape ${formatDims(wanted)}, which does not hold ${sizeOf(dims)} elements`);
  }
  return out;
});

const squeeze = viewOp('Squeeze', {}, (n) => {
  const { dims } = n.input(0);
  const given = n.numbers(1);
  if (!given) return dims.filter((d) => d !== 1);
  const axes = axesOf(n, given, dims.length);
  for (const axis of axes) {
    if (dims[axis] !== 1) n.fail(`squeezes axis ${axis}, which has size ${dims[axis]} and not 1`);
  }
  return dims.filter((_, i) => !axes.includes(i));
});

const unsqueeze = viewOp('Unsqueeze', {}, (n) => {
  const { dims } = n.input(0);
  const given = n.numbers(1) ?? n.fail('lacks its axes (input 1)');
  const rank = dims.length + given.length;
  const axes = axesOf(n, given, rank);
  const own = dims.values();
  return Array.from({ length: rank }, (_, i) => (axes.includes(i) ? 1 : (own.next().value as number)));
});

const flatten = viewOp('Flatten', { axis: int(1) }, (n) => {
  const { dims } = n.input(0);
  const { axis } = n.attributes;
  const at = axis < 0 ? axis + dims.length : axis;
  if (at < 0 || at > dims.length) n.fail(`has the axis ${axis}, but its tensor has rank ${dims.length}`);
  return [sizeOf(dims.slice(0, at)), sizeOf(dims.slice(at))];
});

const identity = viewOp('Identity', {}, (n) => [...n.input(0).dims]);

export default [reshape, squeeze, unsqueeze, flatten, identity];

const shape = (...values: number[]) => ({ dtype: 'int64', dims: [values.length], values, constant: true }) as const;

export const cases: Record<string, OpCase[]> = {
  Reshape: [
    { name: 'keeps one, finds one', inputs: [{ dims: [2, 3, 4] }, shape(0, -1)] },
    { name: 'to a scalar', inputs: [{ dims: [1, 1] }, shape()] },
    { name: 'packed type', inputs: [{ dtype: 'int8', dims: [3, 3] }, shape(9)] },
  ],
  Squeeze: [
    { name: 'all of size 1', inputs: [{ dims: [1, 3, 1] }] },
    { name: 'named axes', inputs: [{ dims: [1, 3, 1] }, shape(-1)] },
  ],
  Unsqueeze: [{ name: 'unsorted axes', inputs: [{ dims: [3, 4] }, shape(4, 0, -3)] }],
  Flatten: [
    { name: 'default', inputs: [{ dims: [2, 3, 5] }] },
    { name: 'axis 0', inputs: [{ dims: [2, 3, 5] }], attributes: { axis: 0 } },
    { name: 'axis -1', inputs: [{ dims: [2, 3, 5] }], attributes: { axis: -1 } },
  ],
  Identity: [
    { name: 'floats', inputs: [{ dims: [3, 5] }] },
    { name: 'bool', inputs: [{ dtype: 'bool', dims: [5], range: [0, 1] }] },
  ],
};
