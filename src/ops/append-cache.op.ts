// lepton.AppendCache: a cache of keys or values with new ones written behind those that each batch has so far.
// Positions behind them are zero.
//
// Inputs: new ones, [batch, heads, added, depth] or [batch, added, heads * depth]; the cache so far [batch, heads, _,
// depth]; the number of positions of each batch, the new ones included. Without those the new ones come first.

import shader from '../../shaders/append-cache.wgsl?raw';
import { byteSize, deviceType, isFloat } from '../base/dtype';
import { int64s, type NDArray, ndarray } from '../base/ndarray';
import { ceilDiv, formatDims, sameDims, sizeOf } from '../base/shape';
import { int, required } from '../ir/attributes';
import type { NodeView } from '../ir/node-view';
import { defineOp, type OpCase } from '../ir/opdef';
import { cacheArray } from './attention/past';
import { layoutOf } from './attention/problem';
import { reader } from './attention/reference';
import { Formula, padded, reshape } from './gradient';
import { linearHelpers, oneEach } from './wgsl/dispatch';
import { elemAliases } from './wgsl/elements';

interface Attributes {
  readonly heads: number;
  readonly length: number;
}

function partsOf(n: NodeView<Attributes>) {
  const { heads, length } = n.attributes;
  const [own, past, lengths] = [n.input(0), n.inputs[1], n.inputs[2]];
  const added = layoutOf(n, own.dims, heads, 'new keys or values');
  const { batch, depth } = added;
  const before = past?.dims[2] ?? 0;
  if (!isFloat(own.dtype) || (past && past.dtype !== own.dtype))
    n.fail('needs a cache and new elements of one float type');
  if (past && !sameDims(past.dims, [batch, added.heads, before, depth]))
    n.fail(`needs a cache of shape [${batch}, ${added.heads}, _, ${depth}], but has ${formatDims(past.dims)}`);
  if (lengths && !sameDims(lengths.dims, [batch])) n.fail(`needs a length for each of ${batch} batches`);
  if (added.length > length) n.fail(`adds ${added.length} positions to a cache of ${length}`);
  return { added, before, dims: [batch, added.heads, length, depth] };
}

export default defineOp({
  name: 'lepton.AppendCache',
  attributes: { heads: int(0), length: required('int') },
  infer: (n) => [{ dtype: n.input(0).dtype, dims: partsOf(n).dims }],
  reference(n, [own, past, lengths]) {
    const { added } = partsOf(n);
    const first = (b: number) => (lengths ? (lengths.data[b] as number) - added.length : 0);
    return [cacheArray(n.input(0), added, reader(own as NDArray, added), past, n.attributes.length, first)];
  },
  // From where they were written to the new ones, the rest to the cache so far.
  grad(n, b, [gradient]) {
    if (gradient === undefined) return [];
    const { added, before, dims } = partsOf(n);
    const [batch, heads, length, depth] = dims as [number, number, number, number];
    const count = added.length;
    const whole = new Formula(b, 'int64');
    const line = (size: number) => b.constant(ndarray('int64', [1, 1, size, 1], [...Array(size).keys()]));
    const lengths = n.has(2) ? whole.like(n.node.inputs[2] as string, 'int64') : undefined;
    const first = lengths ? whole.sub(reshape(b, lengths, [batch, 1, 1, 1]), count) : whole.number(0);
    const places = b.add('Expand', [whole.add(line(count), first), b.constant(int64s([batch, heads, count, depth]))]);
    const [byHead] = b.add('GatherElements', [gradient, ...places], { axis: 2 }) as [string];
    const packed = n.input(0).dims.length === 3;
    const [own] = packed ? b.add('Transpose', [byHead], { perm: [0, 2, 1, 3] }) : [byHead];
    const ofNew = reshape(b, own as string, n.input(0).dims);
    if (!n.has(1)) return [ofNew];
    const held = padded(b, gradient, [0, 0, 0, 0], [0, 0, before - length, 0]);
    return [ofNew, new Formula(b, n.input(0).dtype).keep(whole.less(line(before), first), held)];
  },
  kernels: [
    {
      name: 'copy',
      cost(n) {
        const { dims } = partsOf(n);
        const units = sizeOf(dims) / ((dims[3] as number) % 4 === 0 ? 4 : 1);
        return {
          flops: 20 * units,
          traffic: 2 * sizeOf(dims) * byteSize(deviceType(n.input(0).dtype)),
          workgroups: ceilDiv(units, 64),
        };
      },
      dispatches(n) {
        const { added, before, dims } = partsOf(n);
        const [, heads, length, depth] = dims as [number, number, number, number];
        const size = depth % 4 === 0 ? 4 : 1;
        const units = sizeOf(dims) / size;
        const [hasPast, hasLengths] = [n.has(1), n.has(2)];
        const past = hasPast
          ? '@group(0) @binding(3) var<storage, read> past: array<unit>;\nfn pastAt(index: u32) -> unit { return past[index]; }'
          : 'fn pastAt(index: u32) -> unit { return unit(); }';
        const lengths = hasLengths
          ? '@group(0) @binding(4) var<storage, read> lengths: array<i32>;\nfn lengthOf(batch: u32) -> i32 { return lengths[batch]; }'
          : 'fn lengthOf(batch: u32) -> i32 { return 0; }';
        const alias = `alias unit = ${size === 4 ? 'elem4' : 'elem'};`;
        return [
          {
            label: 'AppendCache.copy',
            wgsl: [elemAliases(n.input(0).dtype), alias, linearHelpers, past, lengths, shader].join('\n'),
            constants: { LANES: 64, FROM_END: Number(hasLengths) },
            bindings: {
              added: { input: 0 },
              result: { output: 0 },
              ...(hasPast && { past: { input: 1 } as const }),
              ...(hasLengths && { lengths: { input: 2 } as const }),
            },
            uniforms: {
              addedSteps: [...added.steps.map((s) => s / size), 0],
              units,
              depth: depth / size,
              length,
              heads,
              past: before,
              added: added.length,
            },
            workgroups: oneEach(units, 64),
          },
        ];
      },
    },
  ],
});

const lengths = (...values: number[]) => ({ dtype: 'int32', dims: [values.length], values }) as const;

export const cases: OpCase[] = [
  {
    name: 'packed heads behind caches of two lengths',
    inputs: [{ dims: [2, 2, 12] }, { dims: [2, 3, 5, 4] }, lengths(3, 7)],
    attributes: { heads: 3, length: 7 },
  },
  {
    name: 'odd sizes, a cache longer than what it holds',
    inputs: [{ dims: [2, 3, 1, 5] }, { dims: [2, 3, 9, 5] }, lengths(4, 1)],
    attributes: { length: 9 },
  },
  { name: 'an empty cache', inputs: [{ dims: [1, 4, 6] }], attributes: { heads: 2, length: 6 } },
  {
    name: 'float16',
    inputs: [{ dtype: 'float16', dims: [1, 1, 6] }, { dtype: 'float16', dims: [1, 2, 4, 3] }, lengths(3)],
    attributes: { heads: 2, length: 4 },
  },
];
