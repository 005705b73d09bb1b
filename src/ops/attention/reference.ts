// Attention by plain loops, for every operator of the family: each says how its operands are read and what is
// added to a score.

import type { DType } from '../../base/dtype';
import { type NDArray, ndarray } from '../../base/ndarray';
import type { TensorType } from '../../ir/node-view';
import {
  type AttentionNode,
  input,
  type Problem,
  problemOf,
  resultSteps,
  type Source,
  type Stages,
  type Steps,
} from './problem';

/** Elements by batch, head, position and place in the head. */
export type Read = (batch: number, head: number, position: number, place: number) => number;

export function reader(array: NDArray, { steps, begin = 0 }: Pick<Source, 'steps' | 'begin'>): Read {
  const [batch, head, position] = steps;
  return (b, h, i, d) => array.data[begin + b * batch + h * head + i * position + d] as number;
}

/** What attention does with one row's products; `bias(key)` is -Infinity where the key is hidden. */
interface RowRule {
  readonly scale: number;
  readonly softcap: number;
  readonly sink?: number;
  readonly stage: number;
  bias(key: number): number;
}

type Sizes = Pick<Problem, 'batch' | 'heads' | 'group' | 'queries' | 'keys' | 'depth' | 'valueDepth'>;

/** @param y type and steps of the result */
export function attend(
  p: Sizes,
  { q, k, v }: { readonly q: Read; readonly k: Read; readonly v: Read },
  rule: (batch: number, head: number, position: number) => RowRule,
  y: TensorType & { readonly steps: Steps },
): [result: NDArray, scores: NDArray] {
  const result = ndarray(y.dtype, y.dims);
  const scores = ndarray(y.dtype, [p.batch, p.heads, p.queries, p.keys]);
  const keys = Array.from({ length: p.keys }, (_, key) => key);
  let row = 0;
  for (let b = 0; b < p.batch; b++) {
    for (let h = 0; h < p.heads; h++) {
      const kvHead = Math.floor(h / p.group);
      for (let i = 0; i < p.queries; i++) {
        const products = keys.map((key) => dot(p.depth, (d) => q(b, h, i, d) * k(b, kvHead, key, d)));
        const { weights, shown } = weigh(products, rule(b, h, i));
        for (let d = 0; d < p.valueDepth; d++) {
          // A hidden key's value is not looked at: it may be a NaN.
          const sum = dot(p.keys, (key) => (weights[key] ? (weights[key] as number) * v(b, kvHead, key, d) : 0));
          result.data[b * y.steps[0] + h * y.steps[1] + i * y.steps[2] + d] = sum;
        }
        scores.data.set(shown, row++ * p.keys);
      }
    }
  }
  return [result, scores];
}

/** Weights of the keys for one query, and the scores at the stage asked for. */
function weigh(products: readonly number[], rule: RowRule): { weights: number[]; shown: number[] } {
  const { scale, softcap, sink, stage } = rule;
  const hidden = Number.NEGATIVE_INFINITY;
  const raw = products.map((x) => x * scale);
  const capped = softcap > 0 ? raw.map((x) => softcap * Math.tanh(x / softcap)) : raw;
  const biases = raw.map((_, key) => rule.bias(key));
  // A hidden key stays hidden whatever its product, a NaN included.
  const masked = capped.map((x, key) => (biases[key] === hidden ? hidden : x + (biases[key] as number)));
  const top = Math.max(sink ?? hidden, ...masked);
  const powers = masked.map((x) => (x === hidden ? 0 : Math.exp(x - top)));
  const sum = powers.reduce((a, b) => a + b, sink === undefined ? 0 : Math.exp(sink - top));
  const weights = powers.map((x) => (sum > 0 ? x / sum : 0));
  const stages: Stages<number[]> = [raw, capped, masked, weights];
  return { weights, shown: stages[stage] ?? weights };
}

function dot(count: number, term: (i: number) => number): number {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += term(i);
  return sum;
}

/** Whether query i may see a key, by position and number alone. */
export function sees(
  { causal, offset, window }: { readonly causal: number; readonly offset: number; readonly window: number },
  i: number,
  key: number,
): boolean {
  return !causal || (key <= i + offset && (window <= 0 || key > i + offset - window));
}

export function attentionReference(n: AttentionNode, inputs: readonly (NDArray | undefined)[]): NDArray[] {
  const p = problemOf(n);
  const { attributes } = n;
  const read = {
    q: reader(inputs[p.q.source] as NDArray, p.q),
    k: reader(inputs[p.k.source] as NDArray, p.k),
    v: reader(inputs[p.v.source] as NDArray, p.v),
  };
  const [mask, lengths, sinks] = [inputs[input.mask], inputs[input.lengths], inputs[input.sink]];
  const [mBatch, mHead, mRow] = p.mask?.steps ?? [0, 0, 0];
  const rule = (b: number, h: number, i: number): RowRule => {
    const valid = Math.min((lengths?.data[b] as number | undefined) ?? p.keys, p.keys);
    const offset = attributes.fromEnd ? valid - p.queries : attributes.offset;
    return {
      softcap: attributes.softcap,
      stage: attributes.stage,
      scale: p.scale,
      ...(sinks && { sink: sinks.data[h] as number }),
      bias(key) {
        const hidden = Number.NEGATIVE_INFINITY;
        if (key >= Math.min(valid, p.mask?.keys ?? valid) || !sees({ ...attributes, offset }, i, key)) return hidden;
        const x = mask ? (mask.data[b * mBatch + h * mHead + i * mRow + key] as number) : 0;
        return mask?.dtype === 'bool' ? (x ? 0 : hidden) : x;
      },
    };
  };
  const dtype: DType = n.input(input.q).dtype;
  return attend(p, read, rule, { dtype, dims: n.output(0).dims, steps: resultSteps(n, p) });
}
