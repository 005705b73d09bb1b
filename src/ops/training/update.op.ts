// What an optimiser does to a weight, in place: lepton.Assign, SGD, RMSprop, Adagrad, Adam and AdamW. The formulas are
// Keras's, but for Adam's epsilon, which stands where the paper (and TensorFlow.js) has it. Inputs: the weight, the
// optimiser's own tensors of the same shape, the gradient, and the schedule: float32[3] of learning rate, number of this
// step (from 1) and whether to do it at all (0 leaves everything as it is). lepton.Assign has a variable and its next
// contents instead.
//
// SGD with momentum, Nesterov's: https://proceedings.mlr.press/v28/sutskever13.html; RMSprop: Hinton's lecture 6e; Adagrad:
// https://jmlr.org/papers/v12/duchi11a.html; Adam: https://arxiv.org/abs/1412.6980; AdamW: https://arxiv.org/abs/1711.05101

import { byteSize, deviceType } from '../../base/dtype';
import { type NDArray, ndarray } from '../../base/ndarray';
import { ceilDiv, formatDims, sameDims, sizeOf } from '../../base/shape';
import { type AttributeSchema, type AttributesOf, float, int } from '../../ir/attributes';
import type { NodeView } from '../../ir/node-view';
import { defineOp, type OpCase } from '../../ir/opdef';
import { oneEach } from '../wgsl/dispatch';

const workgroupSize = 64;

/** What a rule says about one element. */
interface Moment {
  readonly x: number;
  readonly gradient: number;
  readonly own: readonly number[];
  readonly rate: number;
  readonly step: number;
}

interface Rule<S extends AttributeSchema> {
  readonly name: string;
  readonly attributes: S;
  /** Tensors that the optimiser keeps for each weight. */
  readonly own: (attributes: AttributesOf<S>) => number;
  /** The new weight, then the new own tensors. */
  readonly host: (m: Moment, attributes: AttributesOf<S>) => readonly number[];
  /** Statements on `x`, `g` and `own0` …, all of them vec4f, with `rate` and `step`. */
  readonly wgsl: (attributes: AttributesOf<S>) => string;
}

/** A number as WGSL writes it. */
const f = (value: number) => (Number.isInteger(value) ? value.toFixed(1) : `${value}`);

function updateOp<S extends AttributeSchema>({ name, attributes, own, host, wgsl }: Rule<S>) {
  type View = NodeView<AttributesOf<S>>;
  const tensorsOf = (n: View) => {
    const count = 1 + own(n.attributes);
    const states = Array.from({ length: count }, (_, i) => n.input(i));
    const { dtype, dims } = n.input(0);
    for (const other of [...states, n.input(count)]) {
      if (other.dtype !== 'float32' || !sameDims(other.dims, dims)) {
        n.fail(`updates ${dtype}${formatDims(dims)}; all its tensors must be float32 of one shape`);
      }
    }
    const schedule = n.input(count + 1);
    if (schedule.dtype !== 'float32' || !sameDims(schedule.dims, [3])) n.fail('needs a schedule of float32[3]');
    return { count, states };
  };
  return defineOp<S>({
    name: `lepton.${name}`,
    attributes,
    overwrites: true,
    infer: (n) => tensorsOf(n).states.map(({ dtype, dims }) => ({ dtype, dims })),
    reference(n, inputs) {
      const { count } = tensorsOf(n);
      const states = inputs.slice(0, count) as NDArray[];
      const [gradient, schedule] = inputs.slice(count) as [NDArray, NDArray];
      const [rate, step, wanted] = schedule.data as unknown as [number, number, number];
      const results = states.map(({ dtype, dims, data }) => ndarray(dtype, dims, data));
      if (wanted === 0) return results;
      gradient.data.forEach((g, i) => {
        const [x, ...rest] = states.map(({ data }) => data[i] as number) as [number, ...number[]];
        host({ x, gradient: g, own: rest, rate, step }, n.attributes).forEach((value, k) => {
          (results[k] as NDArray).data[i] = value;
        });
      });
      return results;
    },
    kernels: [
      {
        name: 'inPlace',
        cost(n) {
          const { count } = tensorsOf(n);
          const elements = sizeOf(n.input(0).dims);
          return {
            flops: 10 * elements,
            traffic: 4 * elements * (2 * count + 1),
            workgroups: ceilDiv(elements, 4 * workgroupSize),
          };
        },
        dispatches(n) {
          const { count } = tensorsOf(n);
          const names = ['x', ...Array.from({ length: count - 1 }, (_, i) => `own${i}`)];
          const quads = ceilDiv(sizeOf(n.input(0).dims), 4);
          return [
            {
              label: `${name}.update`,
              wgsl: `
struct Params { quads: u32 }
${names.map((v, i) => `@group(0) @binding(${i}) var<storage, read_write> ${v}s: array<vec4f>;`).join('\n')}
@group(0) @binding(${count}) var<storage, read> gradients: array<vec4f>;
@group(0) @binding(${count + 1}) var<storage, read> schedule: array<f32>;
@group(0) @binding(${count + 2}) var<uniform> params: Params;
@compute @workgroup_size(${workgroupSize})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) count: vec3u) {
  let quad = id.y * count.x * ${workgroupSize}u + id.x;
  if (quad >= params.quads || schedule[2] == 0.0) { return; }
  let rate = schedule[0];
  let step = schedule[1];
  let g = gradients[quad];
  ${names.map((v) => `var ${v} = ${v}s[quad];`).join('\n  ')}
  ${wgsl(n.attributes)}
  ${names.map((v) => `${v}s[quad] = ${v};`).join('\n  ')}
}
`,
              bindings: {
                ...Object.fromEntries(names.map((v, i) => [`${v}s`, { input: i }])),
                gradients: { input: count },
                schedule: { input: count + 1 },
              },
              uniforms: { quads },
              workgroups: oneEach(quads, workgroupSize),
            },
          ];
        },
      },
    ],
  });
}

/** lepton.Assign: variable, next contents. */
const assign = defineOp({
  name: 'lepton.Assign',
  attributes: {},
  overwrites: true,
  infer(n) {
    const [variable, next] = [n.input(0), n.input(1)];
    if (variable.dtype !== next.dtype || !sameDims(variable.dims, next.dims)) {
      n.fail('gives a variable contents of another type or shape');
    }
    return [{ dtype: variable.dtype, dims: variable.dims }];
  },
  reference: (_n, [, next]) => [next as NDArray],
  kernels: [
    {
      name: 'copy',
      cost(n) {
        const words = wordsOf(n);
        return { flops: 0, traffic: 8 * words, workgroups: ceilDiv(words, workgroupSize) };
      },
      dispatches(n) {
        const words = wordsOf(n);
        return [
          {
            label: 'Assign.copy',
            wgsl: `
struct Params { words: u32 }
@group(0) @binding(0) var<storage, read_write> variable: array<u32>;
@group(0) @binding(1) var<storage, read> next: array<u32>;
@group(0) @binding(2) var<uniform> params: Params;
@compute @workgroup_size(${workgroupSize})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) count: vec3u) {
  let word = id.y * count.x * ${workgroupSize}u + id.x;
  if (word < params.words) { variable[word] = next[word]; }
}
`,
            bindings: { variable: { input: 0 }, next: { input: 1 } },
            uniforms: { words },
            workgroups: oneEach(words, workgroupSize),
          },
        ];
      },
    },
  ],
});

function wordsOf(n: NodeView): number {
  const { dtype, dims } = n.input(0);
  return ceilDiv(sizeOf(dims) * byteSize(deviceType(dtype)), 4);
}

const adamAttributes = { beta_1: float(0.9), beta_2: float(0.999), epsilon: float(1e-7), weight_decay: float(0) };

/** @param decays whether the weight decays by itself, apart from its gradient */
const adam = (name: string, decays: boolean) =>
  updateOp({
    name,
    attributes: adamAttributes,
    own: () => 2,
    host({ x, gradient, own: [m = 0, v = 0], rate, step }, { beta_1, beta_2, epsilon, weight_decay }) {
      const mean = beta_1 * m + (1 - beta_1) * gradient;
      const square = beta_2 * v + (1 - beta_2) * gradient * gradient;
      const [unbiased, scale] = [mean / (1 - beta_1 ** step), Math.sqrt(square / (1 - beta_2 ** step))];
      const left = decays ? x * (1 - weight_decay * rate) : x;
      return [left - (rate * unbiased) / (scale + epsilon), mean, square];
    },
    // 1 - β^t would cancel for small t: β₂ = 0.999 has lost four digits at t = 1.
    wgsl: ({ beta_1, beta_2, epsilon, weight_decay }) => `
  own0 += ${f(1 - beta_1)} * (g - own0);
  own1 += ${f(1 - beta_2)} * (g * g - own1);
  let left1 = ${remaining(beta_1)};
  let left2 = ${remaining(beta_2)};
  ${decays ? `x *= 1.0 - ${f(weight_decay)} * rate;` : ''}
  x -= rate * own0 / left1 / (sqrt(own1 / left2) + ${f(epsilon)});`,
  });

/** 1 - beta^step, by its series where the power is close to 1. */
function remaining(beta: number): string {
  if (beta === 0) return '1.0';
  const log = Math.log(beta);
  const z = `(step * ${f(log)})`;
  return `select(1.0 - exp(${z}), -${z} * (1.0 + ${z} * (0.5 + ${z} * (0.16666667 + ${z} * 0.041666668))), ${z} > -0.1)`;
}

export default [
  assign,
  updateOp({
    name: 'SGD',
    attributes: { momentum: float(0), nesterov: int(0) },
    own: ({ momentum }) => (momentum === 0 ? 0 : 1),
    host({ x, gradient, own: [velocity = 0], rate }, { momentum, nesterov }) {
      if (momentum === 0) return [x - rate * gradient];
      const next = momentum * velocity - rate * gradient;
      return [x + (nesterov ? momentum * next - rate * gradient : next), next];
    },
    wgsl({ momentum, nesterov }) {
      if (momentum === 0) return 'x -= rate * g;';
      return `own0 = ${f(momentum)} * own0 - rate * g;
  x += ${nesterov ? `${f(momentum)} * own0 - rate * g` : 'own0'};`;
    },
  }),
  updateOp({
    name: 'RMSprop',
    attributes: { rho: float(0.9), momentum: float(0), epsilon: float(1e-7), centered: int(0) },
    // Mean square, then the mean and the momentum's average, where they are used.
    own: ({ momentum, centered }) => 1 + (centered ? 1 : 0) + (momentum === 0 ? 0 : 1),
    host({ x, gradient, own, rate }, { rho, momentum, epsilon, centered }) {
      const square = rho * (own[0] as number) + (1 - rho) * gradient * gradient;
      const mean = centered ? [rho * (own[1] as number) + (1 - rho) * gradient] : [];
      // Rounding makes it negative where the gradient hardly changes.
      const variance = Math.max(square - (mean[0] ?? 0) ** 2, 0);
      const move = (rate * gradient) / Math.sqrt(variance + epsilon);
      if (momentum === 0) return [x - move, square, ...mean];
      const average = momentum * (own.at(-1) as number) + move;
      return [x - average, square, ...mean, average];
    },
    wgsl({ rho, momentum, epsilon, centered }) {
      const last = `own${centered ? 2 : 1}`;
      return `own0 = ${f(rho)} * own0 + ${f(1 - rho)} * g * g;
  ${centered ? `own1 = ${f(rho)} * own1 + ${f(1 - rho)} * g;` : ''}
  let shift = rate * g / sqrt(${centered ? 'max(own0 - own1 * own1, vec4f())' : 'own0'} + ${f(epsilon)});
  ${momentum === 0 ? 'x -= shift;' : `${last} = ${f(momentum)} * ${last} + shift;\n  x -= ${last};`}`;
    },
  }),
  updateOp({
    name: 'Adagrad',
    attributes: { epsilon: float(1e-7) },
    own: () => 1,
    host({ x, gradient, own: [sum = 0], rate }, { epsilon }) {
      const next = sum + gradient * gradient;
      return [x - (rate * gradient) / Math.sqrt(next + epsilon), next];
    },
    wgsl: ({ epsilon }) => `own0 += g * g;\n  x -= rate * g / sqrt(own0 + ${f(epsilon)});`,
  }),
  adam('Adam', false),
  adam('AdamW', true),
];

const x = { dims: [129] };
const square = { dims: [129], range: [0.1, 1] as const };
const at = (step: number, wanted = 1) => ({ dims: [3], values: [0.01, step, wanted] });

export const cases: Record<string, OpCase[]> = {
  'lepton.Assign': [
    { name: 'floats', inputs: [x, x] },
    {
      name: 'int32',
      inputs: [
        { dims: [3], dtype: 'int32' },
        { dims: [3], dtype: 'int32' },
      ],
    },
  ],
  'lepton.SGD': [
    { name: 'plain', inputs: [{ dims: [3, 43] }, { dims: [3, 43] }, at(1)] },
    { name: 'left alone', inputs: [x, x, at(1, 0)] },
    ...[0, 1].map((nesterov) => ({
      name: nesterov ? 'Nesterov' : 'momentum',
      inputs: [x, x, x, at(2)],
      attributes: { momentum: 0.9, nesterov },
      outputs: 2,
    })),
  ],
  'lepton.RMSprop': [
    { name: 'plain', inputs: [x, square, x, at(1)], outputs: 2 },
    {
      name: 'momentum, centered',
      inputs: [x, square, { dims: [129], range: [-0.1, 0.1] }, x, x, at(3)],
      attributes: { momentum: 0.9, centered: 1 },
      outputs: 4,
    },
  ],
  'lepton.Adagrad': [{ name: 'plain', inputs: [x, square, x, at(1)], outputs: 2 }],
  ...Object.fromEntries(
    ['Adam', 'AdamW'].map((name) => [
      `lepton.${name}`,
      [1, 2, 50, 10_000].map((step) => ({
        name: `step ${step}`,
        inputs: [x, x, square, x, at(step)],
        attributes: { weight_decay: 0.1 },
        outputs: 3,
      })),
    ]),
  ),
};
