// com.microsoft.Attention: attention of one input with itself, the projections included.
//
// Inputs: input [batch, length, width], weights [width, queries | keys | values], their bias, mask, earlier keys
// and values [2, batch, heads, _, depth], attention bias. Outputs: result, all keys and values, stacked alike.

import { int64s, type NDArray, ndarray } from '../base/ndarray';
import { formatDims, sameDims, sizeOf } from '../base/shape';
import { float, int, ints, required } from '../ir/attributes';
import type { NodeView, TensorType } from '../ir/node-view';
import { defineOp } from '../ir/opdef';
import { type ContribAttributes, contribOf, contribReference, lowerContrib } from './attention/contrib';
import { selfCases } from './attention/contrib-cases';
import { appended } from './attention/past';
import { type Layout, layoutOf } from './attention/problem';
import { reader } from './attention/reference';

const [bias, mask, past, attentionBias] = [2, 3, 4, 5] as const;

interface Attributes extends ContribAttributes {
  readonly qkv_hidden_sizes: readonly number[] | undefined;
  readonly do_rotary: number;
  readonly past_present_share_buffer: number;
}
type Node = NodeView<Attributes>;

function partsOf(n: Node) {
  const { num_heads, qkv_hidden_sizes, do_rotary, past_present_share_buffer } = n.attributes;
  if (do_rotary || past_present_share_buffer)
    n.fail('has rotary embedding or a shared buffer, which Lepton lacks', 'UNSUPPORTED_MODEL');
  if (n.input(0).dims.length !== 3) n.fail('needs an input of rank 3');
  const [batch = 0, length = 0, width = 0] = n.input(0).dims;
  const [rows = 0, columns = 0] = n.input(1).dims;
  const sizes = qkv_hidden_sizes ?? [columns / 3, columns / 3, columns / 3];
  const fits = sizes.length === 3 && sizes.reduce((a, s) => a + s, 0) === columns && rows === width;
  if (!fits) n.fail(`needs weights of shape ${formatDims([width, sizes.reduce((a, s) => a + s, 0)])}`);
  const whole = n.inputs[past];
  const half = whole && { dtype: whole.dtype, dims: whole.dims.slice(1) };
  const layouts = sizes.map((size) => layoutOf(n, [batch, length, size], num_heads, 'an input'));
  const [q, k, v] = layouts as [Layout, Layout, Layout];
  const key = appended(n, k, half);
  const added = n.inputs[bias]?.dims;
  if (added && !sameDims(added, [columns])) n.fail(`has a bias of shape ${formatDims(added)}; expected [${columns}]`);
  const contrib = contribOf(n, { q, key, value: appended(n, v, half) }, [n.inputs[mask], n.inputs[attentionBias]]);
  return { batch, length, width, columns, sizes, layouts, contrib };
}

const presentDims = (dims: readonly number[]) => [2, ...dims];

/** Input times weights plus bias: [batch, length, columns]. */
function project(n: Node, inputs: readonly (NDArray | undefined)[]): NDArray {
  const { batch, length, width, columns } = partsOf(n);
  const [x, weights] = inputs as [NDArray, NDArray];
  const out = ndarray(x.dtype, [batch, length, columns]);
  for (let i = 0; i < out.data.length; i++) {
    const [row, column] = [Math.floor(i / columns), i % columns];
    let sum = inputs[bias]?.data[column] ?? 0;
    for (let c = 0; c < width; c++)
      sum += (x.data[row * width + c] as number) * (weights.data[c * columns + column] as number);
    out.data[i] = sum;
  }
  return out;
}

export default defineOp({
  name: 'com.microsoft.Attention',
  attributes: {
    num_heads: required('int'),
    scale: float(0),
    unidirectional: int(0),
    mask_filter_value: float(-10000),
    qkv_hidden_sizes: ints(),
    do_rotary: int(0),
    past_present_share_buffer: int(0),
  },
  infer(n) {
    const { view, key, value } = partsOf(n).contrib;
    if (n.wants(1) && key.dims[3] !== value.dims[3])
      n.fail('stacks keys and values of different sizes in its output 1', 'UNSUPPORTED_MODEL');
    return [view.output(0), { dtype: n.input(0).dtype, dims: presentDims(key.dims) }] as TensorType[];
  },
  reference(n, inputs) {
    const { batch, length, columns, sizes, layouts, contrib } = partsOf(n);
    const projected = project(n, inputs);
    const reads = layouts.map(({ depth }, which) => {
      const from = reader(projected, { steps: [length * columns, depth, columns] });
      const offset = sizes.slice(0, which).reduce((a, s) => a + s, 0);
      return (b: number, h: number, i: number, d: number) => from(b, h, i, d + offset);
    });
    const [q, k, v] = reads as [(typeof reads)[0], (typeof reads)[0], (typeof reads)[0]];
    const stacked = inputs[past];
    const half = (which: number) => {
      const dims = stacked?.dims.slice(1) ?? [];
      const size = sizeOf(dims);
      return stacked && ndarray(stacked.dtype, dims, stacked.data.slice(which * size, (which + 1) * size));
    };
    const given = { q, k, v, pastKey: half(0), pastValue: half(1), padding: inputs[mask], bias: inputs[attentionBias] };
    const [result, keys, values] = contribReference(n, contrib, given);
    // With values of another size there are no stacked ones to give.
    if (keys.data.length !== values.data.length) return [result, ndarray(keys.dtype, [2, batch, 0, 0, 0])];
    const present = ndarray(keys.dtype, presentDims(keys.dims));
    present.data.set(keys.data);
    present.data.set(values.data, keys.data.length);
    return [result, present];
  },
  lower(n, b) {
    const { sizes, contrib } = partsOf(n);
    const list = (...values: number[]) => b.constant(int64s(values));
    const names = n.node.inputs;
    const [product] = b.add('MatMul', names.slice(0, 2)) as [string];
    const [projected] = n.has(bias) ? (b.add('Add', [product, names[bias] as string]) as [string]) : [product];
    const [q, k, v] = b.add('Split', [projected, list(...sizes)], { axis: 2 }, 3) as [string, string, string];
    const half = (which: number) => {
      if (!n.has(past)) return '';
      const picked = b.add('Slice', [names[past] as string, list(which), list(which + 1), list(0)]);
      return b.add('Squeeze', [...picked, list(0)])[0] as string;
    };
    const operands = {
      q,
      k,
      v,
      pastKey: half(0),
      pastValue: half(1),
      padding: names[mask] ?? '',
      bias: names[attentionBias] ?? '',
    };
    const [result, keys, values] = lowerContrib(contrib, b, operands, { present: n.wants(1), scores: false });
    if (!n.wants(1)) return [result];
    const stacked = [keys, values].map((name) => b.add('Unsqueeze', [name, list(0)])[0] as string);
    return [result, ...b.add('Concat', stacked, { axis: 0 })];
  },
});

export const cases = selfCases;
