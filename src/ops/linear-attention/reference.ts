// LinearAttention in plain loops, the state in float64.

import { type NDArray, ndarray } from '../../base/ndarray';
import { sizeOf } from '../../base/shape';
import { betaPlace, decayPlace, type LinearAttentionNode, problemOf, stateType } from './problem';

export function linearAttentionReference(n: LinearAttentionNode, inputs: readonly (NDArray | undefined)[]): NDArray[] {
  const p = problemOf(n);
  const { heads, group, keySize, valueSize } = p;
  const [query, key, value, past, decay, beta] = inputs.map((a) => a?.data ?? []) as NDArray['data'][];
  const at = (data: ArrayLike<number> | undefined, i: number) => data?.[i] as number;
  const state = Float64Array.from(inputs[3] ? (past ?? []) : new Float64Array(sizeOf(p.state)));
  const out = ndarray(n.input(0).dtype, [p.batch, p.steps, heads * group * valueSize]);
  for (let row = 0; row < p.batch * heads * p.steps; row++) {
    const [b, head, step] = [
      Math.floor(row / (heads * p.steps)),
      Math.floor(row / p.steps) % heads,
      row % p.steps,
    ] as const;
    const token = b * p.steps + step;
    for (let j = 0; j < valueSize; j++) {
      const s = (i: number) => ((b * heads + head) * keySize + i) * valueSize + j;
      const k = (i: number) => at(key, (token * heads + head) * keySize + i);
      let retrieved = 0;
      for (let i = 0; i < keySize; i++) {
        if (p.decays) state[s(i)] = at(state, s(i)) * Math.exp(at(decay, decayPlace(p, token, head, i)));
        retrieved += k(i) * at(state, s(i));
      }
      const v = at(value, (token * heads + head) * valueSize + j);
      const written = p.corrects ? (v - retrieved) * at(beta, betaPlace(p, token, head)) : v;
      for (let i = 0; i < keySize; i++) state[s(i)] = at(state, s(i)) + k(i) * written;
      for (let member = 0; member < group; member++) {
        const reader = (token * heads + head) * group + member;
        let sum = 0;
        for (let i = 0; i < keySize; i++) sum += at(query, reader * keySize + i) * at(state, s(i));
        out.data[reader * valueSize + j] = p.scale * sum;
      }
    }
  }
  return [out, ndarray(stateType(n), p.state, state)];
}
