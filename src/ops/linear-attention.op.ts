// LinearAttention: attention whose past is one matrix a head, S [key size, value size], instead of all keys and
// values. Each step decays S (rules gated, gated_delta), adds key ⊗ value, or under the delta rules
// beta * key ⊗ (value - what S holds for the key), and reads scale * query · S.
//
// Inputs: query, key, value [batch, steps, heads * size], past state, decay (logarithms; for each key element or
// each head), beta (for each head, or one). Outputs: result, present state [batch, heads, key size, value size].

import shader from '../../shaders/linear-attention.wgsl?raw';
import { byteSize, deviceType } from '../base/dtype';
import { ceilDiv } from '../base/shape';
import { float, int, required, string } from '../ir/attributes';
import type { Tunables } from '../ir/kernel';
import { type CaseInput, defineOp, type OpCase } from '../ir/opdef';
import { type LinearAttention, type LinearAttentionNode, problemOf, stateType } from './linear-attention/problem';
import { linearAttentionReference } from './linear-attention/reference';
import { wordType } from './wgsl/elements';

/** Accesses to the tensors that a node may lack, from binding 5 on. */
function accesses(n: LinearAttentionNode, p: LinearAttention): string {
  const declare = (binding: number, access: string, name: string, type: string) =>
    `@group(0) @binding(${binding}) var<storage, ${access}> ${name}: array<${type}>;`;
  const elem = wordType(n.input(0).dtype);
  const stateElem = wordType(stateType(n));
  const [decayElem, betaElem] = [4, 5].map((i) => wordType(n.inputs[i]?.dtype ?? n.input(0).dtype));
  const place = 'token * params.heads + head';
  const decayAt = p.decayWidth === 1 ? place : `(${place}) * key_size + row`;
  const betaAt = p.betaWidth === 1 ? 'token' : place;
  return `alias elem = ${elem};
const decays = ${p.decays};
const corrects = ${p.corrects};
${n.has(3) ? declare(5, 'read', 'past', stateElem) : ''}
${n.wants(1) ? declare(6, 'read_write', 'present_state', stateElem) : ''}
${p.decays ? declare(7, 'read', 'decay', decayElem as string) : ''}
${p.corrects ? declare(8, 'read', 'beta', betaElem as string) : ''}
fn past_at(i: u32) -> f32 { return ${n.has(3) ? 'f32(past[i])' : '0.0'}; }
fn store_present(i: u32, v: f32) { ${n.wants(1) ? `present_state[i] = ${stateElem}(v);` : ''} }
fn decay_at(token: u32, head: u32, row: u32) -> f32 { return ${p.decays ? `f32(decay[${decayAt}])` : '0.0'}; }
fn beta_at(token: u32, head: u32) -> f32 { return ${p.corrects ? `f32(beta[${betaAt}])` : '1.0'}; }
`;
}

const workgroupBytes = (p: LinearAttention, { columns = 1, parts = 1 }: Tunables) => 4 * columns * (p.keySize + parts);

export default defineOp({
  name: 'LinearAttention',
  attributes: {
    q_num_heads: required('int'),
    kv_num_heads: required('int'),
    scale: float(0),
    update_rule: string('gated_delta'),
    // A hint for kernels that work in blocks of steps; this one does not.
    chunk_size: int(64),
  },
  infer(n) {
    const { batch, steps, heads, group, valueSize, state } = problemOf(n);
    return [
      { dtype: n.input(0).dtype, dims: [batch, steps, heads * group * valueSize] },
      { dtype: stateType(n), dims: state },
    ];
  },
  reference: linearAttentionReference,
  kernels: [
    {
      name: 'columns',
      space: { columns: [16, 4], parts: [8, 16, 4] },
      legal(n, t, { limits }) {
        return workgroupBytes(problemOf(n), t) <= limits.maxComputeWorkgroupStorageSize;
      },
      cost(n, t) {
        const p = problemOf(n);
        const { columns = 1, parts = 1 } = t;
        const workgroups = ceilDiv(p.valueSize, columns) * p.heads * p.batch;
        const lanes = columns * parts;
        const rows = p.steps * ceilDiv(p.keySize, parts);
        const elem = byteSize(deviceType(n.input(0).dtype));
        return {
          flops: workgroups * lanes * rows * (8 + 2 * p.group + (p.decays ? 12 : 0)),
          traffic: workgroups * lanes * (rows * elem * (2 + p.group + (p.decays ? 1 : 0)) + (8 * p.keySize) / parts),
          shared: workgroups * lanes * (rows * 4 * (4 + p.group) + p.steps * 4 * (1 + p.group) * (1 + parts)),
          cleared: workgroups * lanes * workgroupBytes(p, t),
          workgroups,
        };
      },
      dispatches(n, t) {
        const p = problemOf(n);
        const { columns = 1, parts = 1 } = t;
        return [
          {
            label: 'LinearAttention.columns',
            wgsl: accesses(n, p) + shader,
            constants: {
              columns,
              parts,
              slots: columns * parts,
              key_size: p.keySize,
              state_slots: columns * p.keySize,
            },
            bindings: {
              query: { input: 0 },
              key: { input: 1 },
              value: { input: 2 },
              result: { output: 0 },
              ...(n.has(3) && { past: { input: 3 } }),
              ...(n.wants(1) && { present_state: { output: 1 } }),
              ...(p.decays && { decay: { input: 4 } }),
              ...(p.corrects && { beta: { input: 5 } }),
            },
            uniforms: { steps: p.steps, heads: p.heads, group: p.group, value_size: p.valueSize, scale: p.scale },
            workgroups: [ceilDiv(p.valueSize, columns), p.heads, p.batch],
          },
        ];
      },
    },
  ],
});

const gates = (...dims: number[]): CaseInput => ({ dims, range: [-1, 0] });
const betas = (...dims: number[]): CaseInput => ({ dims, range: [0, 1] });
const heads = (q: number, kv: number) => ({ q_num_heads: q, kv_num_heads: kv });

export const cases: OpCase[] = [
  {
    name: 'gated delta, shared heads, past',
    inputs: [
      { dims: [2, 3, 4 * 9] },
      { dims: [2, 3, 2 * 9], range: [-0.3, 0.3] },
      { dims: [2, 3, 2 * 17] },
      { dims: [2, 2, 9, 17] },
      gates(2, 3, 2 * 9),
      betas(2, 3, 2),
    ],
    attributes: heads(4, 2),
    outputs: 2,
  },
  {
    name: 'delta, one beta',
    inputs: [{ dims: [1, 4, 24] }, { dims: [1, 4, 24] }, { dims: [1, 4, 9] }, undefined, undefined, betas(1, 4, 1)],
    attributes: { ...heads(3, 3), update_rule: 'delta', scale: 0.5 },
    outputs: 2,
  },
  {
    name: 'gated a head',
    inputs: [{ dims: [1, 5, 66] }, { dims: [1, 5, 66] }, { dims: [1, 5, 10] }, undefined, gates(1, 5, 2)],
    attributes: { ...heads(2, 2), update_rule: 'gated' },
  },
  {
    name: 'linear, float16',
    inputs: [
      { dtype: 'float16', dims: [1, 3, 8] },
      { dtype: 'float16', dims: [1, 3, 4] },
      { dtype: 'float16', dims: [1, 3, 5] },
    ],
    attributes: { ...heads(2, 1), update_rule: 'linear' },
    outputs: 2,
    tolerance: 5e-3,
  },
];
