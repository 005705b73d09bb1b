// Attention: softmax(scale · Q Kᵀ + mask) V for every head, with keys and values of earlier runs in front, heads
// that share keys, and on request the scores. It is lepton.Attention behind a concatenation.

import { isFloat } from '../base/dtype';
import type { NDArray } from '../base/ndarray';
import { float, int } from '../ir/attributes';
import type { NodeView, TensorType } from '../ir/node-view';
import { defineOp } from '../ir/opdef';
import { onnxCases } from './attention/onnx-cases';
import { append, appended, appendedArray, appendedReader } from './attention/past';
import { coreOf, layoutOf } from './attention/problem';
import { attentionReference, reader } from './attention/reference';

interface Attributes {
  readonly is_causal: number;
  readonly kv_num_heads: number;
  readonly q_num_heads: number;
  readonly qk_matmul_output_mode: number;
  readonly scale: number;
  readonly softcap: number;
}

const [pastKey, pastValue, nonpad] = [4, 5, 6] as const;

function partsOf(n: NodeView<Attributes>) {
  const { attributes } = n;
  const { kv_num_heads: kvHeads } = attributes;
  const key = appended(n, layoutOf(n, n.input(1).dims, kvHeads, 'keys'), n.inputs[pastKey]);
  const value = appended(n, layoutOf(n, n.input(2).dims, kvHeads, 'values'), n.inputs[pastValue]);
  if (n.has(pastKey) !== n.has(pastValue)) n.fail('has earlier keys or values, but not both');
  const { dtype } = n.input(0);
  const mask = n.inputs[3];
  const core = {
    heads: attributes.q_num_heads,
    kvHeads,
    scale: attributes.scale,
    softcap: attributes.softcap,
    causal: attributes.is_causal,
    offset: key.past,
    fromEnd: attributes.is_causal && n.has(nonpad) && !n.has(pastKey) ? 1 : 0,
    stage: attributes.qk_matmul_output_mode,
  };
  // Without earlier ones they stay as they lie, packed or not.
  const whole = (type: TensorType, a: typeof key): TensorType => ({ dtype, dims: a.past > 0 ? a.dims : type.dims });
  const view = coreOf(n, core, [
    n.input(0),
    whole(n.input(1), key),
    whole(n.input(2), value),
    mask && { dtype: isMask(mask) ? mask.dtype : dtype, dims: mask.dims },
    n.inputs[nonpad],
  ]);
  return { key, value, core, view };
}

/** A mask of integers is added too. */
const isMask = ({ dtype }: TensorType) => dtype === 'bool' || isFloat(dtype);

export default defineOp({
  name: 'Attention',
  attributes: {
    is_causal: int(0),
    kv_num_heads: int(0),
    q_num_heads: int(0),
    qk_matmul_output_mode: int(0),
    scale: float(0),
    softcap: float(0),
    softmax_precision: int(1), // no matter: Softmax is computed in float32
  },
  infer(n) {
    const { key, value, view } = partsOf(n);
    const [result, scores] = view.outputs as [TensorType, TensorType];
    return [result, { dtype: n.input(1).dtype, dims: key.dims }, { dtype: n.input(2).dtype, dims: value.dims }, scores];
  },
  reference(n, inputs) {
    const { key, value, view } = partsOf(n);
    const whole = (i: number, past: number, a: typeof key) =>
      appendedArray(a, n.input(i), appendedReader(a, inputs[past], reader(inputs[i] as NDArray, a.own)));
    const [keys, values] = [whole(1, pastKey, key), whole(2, pastValue, value)];
    const given = [
      inputs[0],
      key.past > 0 ? keys : inputs[1],
      value.past > 0 ? values : inputs[2],
      inputs[3],
      inputs[nonpad],
    ];
    const [result, scores] = attentionReference(view, given) as [NDArray, NDArray];
    return [result, keys, values, scores];
  },
  lower(n, b) {
    const { key, value, core } = partsOf(n);
    const names = n.node.inputs;
    const [q, k, v] = names as [string, string, string];
    const whole = (name: string, i: number, past: number, a: typeof key) =>
      append(b, a, names[past] ?? '', name, n.input(i).dims.length);
    const present = (wanted: boolean, name: string, i: number, past: number, a: typeof key) =>
      wanted || a.past > 0 ? whole(name, i, past, a) : name;
    const keys = present(n.wants(1), k, 1, pastKey, key);
    const values = present(n.wants(2), v, 2, pastValue, value);
    const like = (name: string) => b.add('CastLike', [name, q])[0] as string;
    const used = (name: string, whole: string, a: typeof key) => {
      const chosen = a.past > 0 ? whole : name;
      return b.type(chosen).dtype === n.input(0).dtype ? chosen : like(chosen);
    };
    const mask = n.inputs[3];
    const maskName = mask && !isMask(mask) ? like(names[3] as string) : (names[3] ?? '');
    const [result, scores] = b.add(
      'lepton.Attention',
      [q, used(k, keys, key), used(v, values, value), maskName, names[nonpad] ?? ''],
      core,
      n.wants(3) ? 2 : 1,
    );
    return [result as string, keys, values, scores ?? ''];
  },
});

export const cases = onnxCases;
