// TopK: the k largest (or smallest) elements along an axis and where they stood. Always in order, whatever
// `sorted` says; of equal elements the first comes first, and NaN is larger than any number.

import rankText from '../../shaders/top-k-rank.wgsl?raw';
import selectText from '../../shaders/top-k-select.wgsl?raw';
import { byteSize, deviceBytes, deviceType, isFloat } from '../base/dtype';
import { ndarray } from '../base/ndarray';
import { numberOfDType } from '../base/onnx-dtypes';
import { ceilDiv, sizeOf } from '../base/shape';
import { int } from '../ir/attributes';
import type { Dispatch, Operand } from '../ir/kernel';
import type { NodeView } from '../ir/node-view';
import { defineOp, type OpCase } from '../ir/opdef';
import { axisOf } from './axes';
import { zeros } from './gradient';
import { compareNumbers } from './order';
import { accumulatorType } from './reduce/reducer';
import { foldWorkgroups, linearHelpers, oneEach } from './wgsl/dispatch';
import { wordsPerQuad, wordType } from './wgsl/elements';
import { orderKeyText } from './wgsl/order-keys';

const workgroupSize = 64;
/** Elements from which on the largest is better found by ArgMax, which falls into parts, and then fetched. */
const longLine = 512;

type View = NodeView<{ readonly axis: number; readonly largest: number; readonly sorted: number }>;

function layout(n: View) {
  const { dims } = n.input(0);
  const axis = axisOf(n, n.attributes.axis, dims.length);
  const size = dims[axis] as number;
  const k = n.numbers(1)?.[0] ?? n.fail('lacks its k (input 1)');
  if (k < 0 || k > size) n.fail(`asks for ${k} of the ${size} elements along axis ${axis}`);
  return {
    size,
    k,
    inner: sizeOf(dims.slice(axis + 1)),
    lines: sizeOf(dims) / Math.max(1, size),
    dims: dims.with(axis, k),
  };
}

function dispatch(n: View, label: string, text: string, workgroups: Dispatch['workgroups']): Dispatch {
  const { dtype } = n.input(0);
  const { size, k, inner, lines, dims } = layout(n);
  const scalar = accumulatorType(dtype);
  const output = (i: number): Operand =>
    n.wants(i) ? { output: i } : { scratch: `output${i}`, bytes: deviceBytes(i === 0 ? dtype : 'int64', sizeOf(dims)) };
  return {
    label,
    wgsl: `alias elem = ${wordType(dtype)};
alias compute = ${scalar};
${orderKeyText(scalar, 1, 'highest')}${linearHelpers}${text}`,
    constants: { workgroup_size: workgroupSize },
    bindings: { source: { input: 0 }, values: output(0), places: output(1) },
    uniforms: { lines, size, inner, k, largest: Number(n.attributes.largest !== 0) },
    workgroups,
  };
}

export default defineOp({
  name: 'TopK',
  attributes: { axis: int(-1), largest: int(1), sorted: int(1) },
  infer(n) {
    const { dims } = layout(n);
    return [
      { dtype: n.input(0).dtype, dims },
      { dtype: 'int64', dims },
    ];
  },
  reference(n, [x]) {
    const source = x?.data ?? n.fail('lacks its input');
    const { size, k, inner, lines, dims } = layout(n);
    const values = ndarray(n.input(0).dtype, dims);
    const places = ndarray('int64', dims);
    const sign = n.attributes.largest ? -1 : 1;
    for (let line = 0; line < lines; line++) {
      const [outer, column] = [Math.floor(line / inner), line % inner];
      const at = (place: number) => source[(outer * size + place) * inner + column] as number;
      const order = Array.from({ length: size }, (_, i) => i).sort(
        (a, b) => sign * compareNumbers(at(a), at(b)) || a - b,
      );
      for (let rank = 0; rank < k; rank++) {
        const to = (outer * k + rank) * inner + column;
        values.data[to] = at(order[rank] as number);
        places.data[to] = order[rank] as number;
      }
    }
    return [values, places];
  },
  grad(n, b, [gradient]) {
    if (gradient === undefined) return [];
    const [x, count] = n.node.inputs as readonly [string, string];
    const { dtype, dims } = n.input(0);
    const { attributes, node } = n;
    const places = n.wants(1) ? (node.outputs[1] as string) : b.add('TopK', [x, count], { ...attributes }, 2)[1];
    const { axis } = attributes;
    return b.add('ScatterElements', [zeros(b, dtype, dims), places as string, gradient], { axis, reduction: 'add' });
  },
  kernels: [
    {
      name: 'rank',
      cost(n) {
        const { size, lines } = layout(n);
        const reads = lines * size * size;
        const bytes = byteSize(deviceType(n.input(0).dtype));
        return { flops: 12 * reads, traffic: bytes * reads, workgroups: ceilDiv(lines * size, workgroupSize) };
      },
      dispatches: (n) => [dispatch(n, 'TopK.rank', rankText, oneEach(sizeOf(n.input(0).dims), workgroupSize))],
    },
    {
      name: 'select',
      cost(n) {
        const { size, k, lines } = layout(n);
        const reads = lines * k * ceilDiv(size, workgroupSize) * workgroupSize;
        const bytes = byteSize(deviceType(n.input(0).dtype));
        return {
          flops: 14 * reads,
          traffic: bytes * reads,
          shared: lines * k * workgroupSize * 24,
          cleared: lines * workgroupSize ** 2 * 8,
          workgroups: lines,
        };
      },
      dispatches: (n) => [dispatch(n, 'TopK.select', selectText, foldWorkgroups(layout(n).lines))],
    },
  ],
  lower(n, b) {
    const { size, k } = layout(n);
    const [x, count] = n.node.inputs as readonly [string, string];
    if (k === 1 && size >= longLine && n.attributes.largest) {
      const { axis } = n.attributes;
      const places = b.add('ArgMax', [x], { axis, keepdims: 1 });
      return [...b.add('GatherElements', [x, ...places], { axis }), ...places];
    }
    // Elements that share a word cannot be written one by one: those types are ranked as int32.
    const { dtype } = n.input(0);
    if (isFloat(dtype) || wordsPerQuad(dtype) === 4) return undefined;
    const [wide] = b.add('Cast', [x], { to: numberOfDType('int32') });
    const [values, places] = b.add('TopK', [wide as string, count], { ...n.attributes }, 2);
    return [b.add('Cast', [values as string], { to: numberOfDType(dtype) })[0] as string, places as string];
  },
});

const k = (value: number) => ({ dtype: 'int64', dims: [1], values: [value], constant: true }) as const;

export const cases: OpCase[] = [
  { name: '5 of 129', inputs: [{ dims: [2, 129] }, k(5)], outputs: 2 },
  { name: 'all of 3', inputs: [{ dims: [3] }, k(3)], outputs: 2 },
  {
    name: 'smallest with duplicates, axis 1',
    inputs: [{ dtype: 'int64', dims: [2, 9, 3] }, k(4)],
    attributes: { axis: 1, largest: 0 },
    outputs: 2,
  },
  ...[0, 1].map((largest) => ({
    name: `special values, ${largest ? 'largest' : 'smallest'}`,
    inputs: [{ dims: [9], values: [1, Number.NaN, 0, Infinity, -0, -Infinity, Number.NaN, -1e-30, 3e38] }, k(9)],
    attributes: { largest },
    outputs: 2,
  })),
  { name: 'largest of many', inputs: [{ dims: [2, 1031] }, k(1)], outputs: 2 },
  {
    name: 'largest of many, axis 0',
    inputs: [{ dtype: 'int32', dims: [517, 3] }, k(1)],
    attributes: { axis: 0 },
    outputs: 2,
  },
  { name: 'values only', inputs: [{ dims: [127] }, k(1)] },
  { name: 'float16', inputs: [{ dtype: 'float16', dims: [3, 8] }, k(2)], outputs: 2 },
  { name: 'uint8', inputs: [{ dtype: 'uint8', dims: [2, 7] }, k(3)], outputs: 2 },
];
