// ArgMax and ArgMin: the position of the largest or smallest element along an axis, as int64. Among equals
// the first counts, or the last with select_last_index.

import { type NDArray, ndarray } from '../base/ndarray';
import { sizeOf } from '../base/shape';
import { int } from '../ir/attributes';
import type { NodeView } from '../ir/node-view';
import { defineOp, type OpCase } from '../ir/opdef';
import { axisOf } from './axes';
import { compareNumbers } from './order';
import { argKernels } from './reduce/arg-kernels';
import { reducedDims } from './reduce/geometry';

const attributes = { axis: int(0), keepdims: int(1), select_last_index: int(0) };
type ArgNode = NodeView<{ axis: number; keepdims: number; select_last_index: number }>;

/** The input as [outer, length, inner], the axis in the middle. */
function split(n: ArgNode) {
  const { dims } = n.input(0);
  const axis = axisOf(n, n.attributes.axis, dims.length);
  const inner = sizeOf(dims.slice(axis + 1));
  return { axis, length: dims[axis] as number, inner, outputs: inner * sizeOf(dims.slice(0, axis)) };
}

function argOp(name: string, sign: '>' | '<') {
  // NaN beats every number, whichever end is looked for.
  const order = (a: number, b: number) =>
    sign === '>' || Number.isNaN(a) || Number.isNaN(b) ? compareNumbers(a, b) : compareNumbers(b, a);
  return defineOp({
    name,
    attributes,
    infer(n) {
      const { axis, length } = split(n);
      if (length === 0) n.fail(`looks along axis ${axis}, which has no elements`);
      return [{ dtype: 'int64', dims: reducedDims(n.input(0).dims, [axis], n.attributes.keepdims !== 0) }];
    },
    reference(n, [input]) {
      const { data, dims } = input as NDArray;
      const { axis, length, inner, outputs } = split(n);
      const out = ndarray('int64', reducedDims(dims, [axis], n.attributes.keepdims !== 0));
      for (let o = 0; o < outputs; o++) {
        const base = Math.floor(o / inner) * length * inner + (o % inner);
        const at = (r: number) => data[base + r * inner] as number;
        let best = 0;
        for (let r = 1; r < length; r++) {
          const ahead = order(at(r), at(best));
          if (ahead > 0 || (ahead === 0 && n.attributes.select_last_index)) best = r;
        }
        out.data[o] = best;
      }
      return [out];
    },
    kernels: argKernels((n: ArgNode) => ({ name, sign, last: n.attributes.select_last_index !== 0 }), split),
  });
}

export default [argOp('ArgMax', '>'), argOp('ArgMin', '<')];

const ties: OpCase['inputs'] = [{ dims: [5, 9], dtype: 'int32', range: [0, 2] }];
const strange: OpCase['inputs'] = [
  {
    dims: [5, 4],
    values: [
      ...[1, Number.NaN, Infinity, Number.NaN, -Infinity, -Infinity, -Infinity, -Infinity],
      ...[0, -0, 0, -0, -1, 1, Infinity, -Infinity, -1e-30, -2, 3e38, 1e-30],
    ],
  },
];
const all: OpCase[] = [
  { name: 'special values', inputs: strange, attributes: { axis: 1 } },
  { name: 'special values, the last', inputs: strange, attributes: { axis: 1, select_last_index: 1 } },
  { name: 'first axis', inputs: [{ dims: [7, 129] }] },
  { name: 'last axis', inputs: [{ dims: [9, 33] }], attributes: { axis: -1, keepdims: 0 } },
  { name: 'middle axis, rows of quads', inputs: [{ dims: [2, 21, 3, 4] }], attributes: { axis: 1 } },
  { name: 'long', inputs: [{ dims: [1, 1031] }], attributes: { axis: 1 } },
  { name: 'ties', inputs: ties, attributes: { axis: 1 } },
  { name: 'ties, the last', inputs: ties, attributes: { axis: 1, select_last_index: 1 } },
  { name: 'long rows of quads', inputs: [{ dims: [3, 4100] }], attributes: { axis: 1 } },
  { name: 'long columns', inputs: [{ dims: [1037, 6] }] },
  { name: 'long columns of quads', inputs: [{ dims: [1024, 8] }] },
  ...[0, 1].map((last) => ({
    name: `long, ties, ${last ? 'the last' : 'the first'}`,
    inputs: [{ dims: [2, 1027], dtype: 'int32' as const, range: [0, 2] as const }],
    attributes: { axis: 1, select_last_index: last },
  })),
  { name: 'uint8', inputs: [{ dims: [3, 127], dtype: 'uint8', range: [0, 255] }], attributes: { axis: 1 } },
  { name: 'float16', inputs: [{ dims: [5, 8], dtype: 'float16' }], attributes: { axis: 0 } },
];
export const cases: Record<string, OpCase[]> = { ArgMax: all, ArgMin: all };
