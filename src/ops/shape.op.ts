// Shape and Size: an input's dimensions as int64 data. They read no element, so they are constants as soon
// as shapes are concrete.

import { int64s, scalar } from '../base/ndarray';
import { sizeOf } from '../base/shape';
import { int } from '../ir/attributes';
import type { NodeView } from '../ir/node-view';
import { defineOp, type OpCase } from '../ir/opdef';

function part(n: NodeView<{ readonly start: number; readonly end: number | undefined }>): readonly number[] {
  // slice() clamps and counts negative bounds from the end exactly as ONNX does.
  return n.input(0).dims.slice(n.attributes.start, n.attributes.end);
}

const shape = defineOp({
  name: 'Shape',
  attributes: { start: int(0), end: int() },
  shapeOnly: true,
  infer: (n) => [{ dtype: 'int64', dims: [part(n).length] }],
  reference: (n) => [int64s(part(n))],
});

const size = defineOp({
  name: 'Size',
  attributes: {},
  shapeOnly: true,
  infer: () => [{ dtype: 'int64', dims: [] }],
  reference: (n) => [scalar('int64', sizeOf(n.input(0).dims))],
});

export default [shape, size];

export const cases: Record<string, OpCase[]> = {
  Shape: [
    { name: 'all', inputs: [{ dims: [3, 5, 7] }] },
    { name: 'from -2 on', inputs: [{ dims: [3, 5, 7] }], attributes: { start: -2 } },
    { name: 'beyond both ends', inputs: [{ dims: [3, 5, 7] }], attributes: { start: -9, end: 9 } },
    { name: 'start behind end', inputs: [{ dims: [3, 5, 7] }], attributes: { start: 2, end: 1 } },
  ],
  Size: [{ name: 'all', inputs: [{ dims: [3, 5, 7] }] }],
};
