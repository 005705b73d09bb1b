// RotaryEmbedding: turns pairs of elements of every head by the angles of its position, given as cosines and
// sines. x is [batch, heads, length, depth] or [batch, length, heads * depth]; cosines and sines [positions, pairs],
// looked up by position_ids [batch, length], or without those [batch, length, pairs].
//
// com.microsoft.RotaryEmbedding: its older form, with position_ids second; [1] of them is that of the first token.

import shader from '../../shaders/rotary-embedding.wgsl?raw';
import { byteSize, deviceType } from '../base/dtype';
import { int64s, type NDArray, ndarray } from '../base/ndarray';
import { ceilDiv, forEachIndex, sizeOf } from '../base/shape';
import { float, int } from '../ir/attributes';
import type { Kernel } from '../ir/kernel';
import { NodeView } from '../ir/node-view';
import { defineOp, type LowerBuilder, type OpCase } from '../ir/opdef';
import { layoutOf } from './attention/problem';
import { reader } from './attention/reference';
import { type RotaryAttributes, turnedReader, turnOf } from './attention/rotary';
import { addAt, Formula, padded, reshape, sumTo } from './gradient';
import { linearHelpers, oneEach } from './wgsl/dispatch';
import { elemAliases } from './wgsl/elements';

const kernel: Kernel<RotaryAttributes> = {
  name: 'turn',
  cost(n) {
    const count = sizeOf(n.input(0).dims);
    return {
      flops: 40 * count,
      traffic: count * (5 * byteSize(deviceType(n.input(0).dtype)) + (n.has(3) ? 4 : 0)),
      workgroups: ceilDiv(ceilDiv(count, 4), 64),
    };
  },
  dispatches(n) {
    const { heads, length, depth, turned, width } = turnOf(n);
    const quads = ceilDiv(sizeOf(n.input(0).dims), 4);
    const indexed = n.has(3);
    const rowOf = indexed
      ? `@group(0) @binding(5) var<storage, read> positions: array<i32>;
fn rowOf(token: u32) -> u32 { return u32(max(positions[token], 0)); }`
      : 'fn rowOf(token: u32) -> u32 { return token; }';
    return [
      {
        label: 'RotaryEmbedding.turn',
        wgsl: [elemAliases(n.input(0).dtype), linearHelpers, rowOf, shader].join('\n'),
        constants: {
          LANES: 64,
          HEADS_FIRST: Number(n.input(0).dims.length === 4),
          INTERLEAVED: n.attributes.interleaved ? 1 : 0,
        },
        bindings: {
          x: { input: 0 },
          cosines: { input: 1 },
          sines: { input: 2 },
          result: { output: 0 },
          ...(indexed && { positions: { input: 3 } as const }),
        },
        uniforms: { quads, heads, length, depth, turned, width },
        workgroups: oneEach(quads, 64),
      },
    ];
  },
};

function reference(n: NodeView<RotaryAttributes>, inputs: readonly (NDArray | undefined)[]): NDArray[] {
  const { batch, heads, length, depth, steps, turned, width } = turnOf(n);
  const [x, cosines, sines, ids] = inputs as [NDArray, NDArray, NDArray, NDArray | undefined];
  const { interleaved } = n.attributes;
  const token = (b: number, i: number) => b * length + i;
  const rowOf = (b: number, i: number) => {
    const row = ids ? (ids.data[token(b, i)] as number) : token(b, i);
    if (row < 0 || (row + 1) * width > cosines.data.length) n.fail(`has no cosines and sines for the position ${row}`);
    return row;
  };
  const read = turnedReader(reader(x, { steps }), { cosines, sines, turned, width, interleaved, rowOf });
  const out = ndarray(x.dtype, x.dims);
  forEachIndex([batch, heads, length, depth], (at) => {
    const [b, h, i, d] = at as [number, number, number, number];
    out.data[b * steps[0] + h * steps[1] + i * steps[2] + d] = read(b, h, i, d);
  });
  return [out];
}

/** What was turned is turned back; a cosine and a sine belong to pairs of elements, of x and of its gradient. */
function rotaryGrad(n: NodeView<RotaryAttributes>, b: LowerBuilder, gradient: string): (string | undefined)[] {
  const [x, cosines, sines, ids = ''] = n.node.inputs as [string, string, string, string?];
  const { batch, heads, length, depth, turned, width } = turnOf(n);
  const { dtype, dims } = n.input(0);
  const f = new Formula(b, dtype);
  const back = f.node(n.node.op, [gradient, cosines, f.neg(sines), ids], { ...n.node.attributes });
  const half = turned / 2;
  const axis = n.attributes.interleaved ? 4 : 3;
  /** The first and the second elements of the pairs, [batch, length, heads, pairs] both. */
  const pairsOf = (value: string) => {
    const byToken =
      dims.length === 4
        ? f.node('Transpose', [value], { perm: [0, 2, 1, 3] })
        : reshape(b, value, [batch, length, heads, depth]);
    const moved = padded(b, byToken, [0, 0, 0, 0], [0, 0, 0, turned - depth]);
    const apart = reshape(b, moved, [batch, length, heads, ...(axis === 4 ? [half, 2] : [2, half])]);
    const parts = b.add('Split', [apart], { axis, num_outputs: 2 }, 2);
    return parts.map((part) => reshape(b, part, [batch, length, heads, half])) as [string, string];
  };
  const [[x1, x2], [g1, g2]] = [pairsOf(x), pairsOf(gradient)];
  const gathered = (sum: string) => {
    const rows = reshape(b, sumTo(b, sum, [batch, length, 1, half]), [batch, length, half]);
    const whole = padded(b, rows, [0, 0, 0], [0, 0, width - half]);
    return ids === '' ? whole : addAt(b, whole, ids, 0, n.input(1).dims[0] as number);
  };
  const ofCosines = f.add(f.mul(g1, x1), f.mul(g2, x2));
  const ofSines = f.sub(f.mul(g2, x1), f.mul(g1, x2));
  return [back, gathered(ofCosines), gathered(ofSines)];
}

const rotary = defineOp({
  name: 'RotaryEmbedding',
  attributes: { interleaved: int(0), num_heads: int(0), rotary_embedding_dim: int(0) },
  infer(n) {
    turnOf(n);
    const { dtype, dims } = n.input(0);
    return [{ dtype, dims }];
  },
  reference,
  grad: (n, b, [gradient]) => (gradient === undefined ? [] : rotaryGrad(n, b, gradient)),
  kernels: [kernel],
});

/** The layout and the attributes of RotaryEmbedding that a node of the older operator stands for. */
function plain(n: NodeView<RotaryAttributes & { readonly scale: number; readonly is_packed_batching: number }>) {
  const { interleaved, rotary_embedding_dim, scale, is_packed_batching } = n.attributes;
  if (scale !== 1 || is_packed_batching)
    n.fail('has a scale or packed batches, which Lepton lacks', 'UNSUPPORTED_MODEL');
  const { dims } = n.input(0);
  // Without a number of heads, a row of cosines turns a whole head.
  const num_heads = n.attributes.num_heads || (dims.at(-1) ?? 0) / (2 * (n.input(2).dims.at(-1) ?? 1));
  if (!Number.isInteger(num_heads)) n.fail('has heads narrower than its cosines turn');
  const layout = layoutOf(n, dims, num_heads, 'an input');
  const ids = sizeOf(n.input(1).dims);
  if (ids !== 1 && ids !== layout.batch * layout.length) n.fail(`has ${ids} position ids; expected 1 or one a token`);
  return { layout, attributes: { interleaved, num_heads, rotary_embedding_dim } };
}

const older = defineOp({
  name: 'com.microsoft.RotaryEmbedding',
  attributes: {
    interleaved: int(0),
    num_heads: int(0),
    rotary_embedding_dim: int(0),
    scale: float(1),
    is_packed_batching: int(0),
  },
  infer(n) {
    plain(n);
    const { dtype, dims } = n.input(0);
    return [{ dtype, dims }];
  },
  reference(n, [x, ids, cosines, sines]) {
    const { layout, attributes } = plain(n);
    const tokens = ndarray('int64', [layout.batch, layout.length]);
    const given = (ids as NDArray).data;
    const first =
      given.length === 1
        ? (i: number) => (given[0] as number) + (i % layout.length)
        : (i: number) => given[i] as number;
    for (let i = 0; i < tokens.data.length; i++) tokens.data[i] = first(i);
    const types = [n.input(0), n.input(2), n.input(3), { ...n.input(1), dims: tokens.dims }];
    return reference(new NodeView(n.node, attributes, types), [x, cosines, sines, tokens]);
  },
  lower(n, b) {
    const { layout, attributes } = plain(n);
    const { batch, length } = layout;
    const [x, ids, cosines, sines] = n.node.inputs as [string, string, string, string];
    let tokens = ids;
    if (sizeOf(n.input(1).dims) === 1) {
      const steps = Array.from({ length: batch * length }, (_, i) => i % length);
      [tokens] = b.add('Add', [b.constant(ndarray(n.input(1).dtype, [batch, length], steps)), ids]) as [string];
    }
    const [shaped] = b.add('Reshape', [tokens, b.constant(int64s([batch, length]))]) as [string];
    return b.add('RotaryEmbedding', [x, cosines, sines, shaped], attributes);
  },
});

export default [rotary, older];

const ids = (dims: number[], ...values: number[]) => ({ dtype: 'int64', dims, values }) as const;

export const cases: Record<string, OpCase[]> = {
  RotaryEmbedding: [
    { name: 'by head', inputs: [{ dims: [2, 3, 2, 8] }, { dims: [9, 4] }, { dims: [9, 4] }, ids([2, 2], 0, 8, 3, 1)] },
    {
      name: 'packed, interleaved, a part of each head',
      inputs: [{ dims: [2, 3, 14] }, { dims: [2, 3, 3] }, { dims: [2, 3, 3] }],
      attributes: { num_heads: 2, interleaved: 1, rotary_embedding_dim: 4 },
    },
    {
      name: 'float16',
      inputs: (['x', 'cosines', 'sines'] as const).map((what) => ({
        dtype: 'float16',
        dims: what === 'x' ? [1, 3, 5, 6] : [1, 5, 3],
      })),
    },
  ],
  'com.microsoft.RotaryEmbedding': [
    {
      name: 'position of the first token',
      inputs: [{ dims: [2, 3, 16] }, ids([1], 4), { dims: [9, 4] }, { dims: [9, 4] }],
    },
    {
      name: 'position of each token, a part of each head',
      inputs: [{ dims: [2, 2, 3, 8] }, ids([2, 3], 4, 0, 1, 8, 2, 3), { dims: [9, 2] }, { dims: [9, 2] }],
      attributes: { num_heads: 2, rotary_embedding_dim: 4, interleaved: 1 },
    },
  ],
};
