// What layer, RMS, group and instance normalisation share: rows of neighbouring elements are brought to mean
// 0 and variance 1, then scaled and shifted. Each says how its tensor falls into rows and channels.

import shader from '../../../shaders/normalize-rows.wgsl?raw';
import { byteSize, deviceType } from '../../base/dtype';
import { type NDArray, ndarray } from '../../base/ndarray';
import { ceilDiv } from '../../base/shape';
import type { Dispatch, Kernel } from '../../ir/kernel';
import type { NodeView } from '../../ir/node-view';
import { foldWorkgroups, linearHelpers } from '../wgsl/dispatch';
import { elementAt, wordType } from '../wgsl/elements';
import { laneLayout } from '../wgsl/lanes';

export interface Rows {
  readonly rows: number;
  readonly length: number;
  /** Scale and bias have `channels` elements; that of element i is i / inner % channels. */
  readonly inner: number;
  readonly channels: number;
  readonly epsilon: number;
  /** Without it the mean counts as 0. */
  readonly centred: boolean;
}

/** Inputs: x, scale, optional bias. Outputs 1 and 2, where wanted: mean and inverse deviation of each row. */
export function rowKernels<A>(name: string, rowsOf: (n: NodeView<A>) => Rows): Kernel<A>[] {
  const cost = (n: NodeView<A>, lanes: number) => {
    const { rows, length } = rowsOf(n);
    const layout = laneLayout(lanes);
    const workgroups = ceilDiv(rows, layout.rows);
    const invocations = workgroups * layout.invocations;
    return {
      flops: invocations * (20 * ceilDiv(length, lanes) + (lanes > 1 ? 40 : 10)),
      traffic: rows * length * (4 * byteSize(deviceType(n.input(0).dtype)) + 8),
      shared: lanes > 1 ? 2 * invocations * 4 * (2 + Math.sqrt(lanes)) : 0,
      cleared: invocations * layout.slots * 4,
      workgroups,
    };
  };
  return [
    {
      name: 'workgroup',
      space: { lanes: [64, 256, 8] },
      legal: (n, t) => (t.lanes as number) <= Math.max(8, rowsOf(n).length),
      cost: (n, t) => cost(n, t.lanes as number),
      dispatches: (n, t) => [dispatch(n, `${name}.workgroup`, rowsOf(n), t.lanes as number)],
    },
    {
      name: 'invocation',
      cost: (n) => cost(n, 1),
      dispatches: (n) => [dispatch(n, `${name}.invocation`, rowsOf(n), 1)],
    },
  ];
}

function dispatch(n: NodeView, label: string, r: Rows, lanes: number): Dispatch {
  const layout = laneLayout(lanes);
  const declare = (binding: number, variable: string, access: string, type: string) =>
    `@group(0) @binding(${binding}) var<storage, ${access}> ${variable}: array<${type}>;`;
  const parameter = (input: number, variable: string, absent: string) => {
    const type = n.inputs[input]?.dtype;
    const value = type ? elementAt(type, variable, 'k') : absent;
    const declaration = type ? declare(2 + input, variable, 'read', wordType(type)) : '';
    return `${declaration}\nfn ${variable}_of(k: u32) -> f32 { return ${value}; }`;
  };
  const statistics = ['mean', 'inverse']
    .map((quantity, i) => ({ quantity, output: i + 1 }))
    .filter((s) => n.wants(s.output));
  const wgsl = [
    linearHelpers,
    `alias elem = ${wordType(n.input(0).dtype)};`,
    parameter(1, 'scale', '1.0'),
    parameter(2, 'bias', '0.0'),
    ...statistics.map((s) =>
      declare(4 + s.output, `${s.quantity}_out`, 'read_write', wordType(n.output(s.output).dtype)),
    ),
    'fn store_statistics(row: u32, mean: f32, inverse: f32) {',
    ...statistics.map((s) => `  ${s.quantity}_out[row] = ${wordType(n.output(s.output).dtype)}(${s.quantity});`),
    '}\n',
  ].join('\n');
  return {
    label,
    wgsl: wgsl + shader,
    constants: { ...layout.constants, centred: r.centred ? 1 : 0 },
    bindings: {
      input: { input: 0 },
      result: { output: 0 },
      scale: { input: 1 },
      ...(n.has(2) && { bias: { input: 2 } }),
      ...Object.fromEntries(statistics.map((s) => [`${s.quantity}_out`, { output: s.output }])),
    },
    uniforms: { rows: r.rows, length: r.length, inner: r.inner, channels: r.channels, epsilon: r.epsilon },
    workgroups: foldWorkgroups(ceilDiv(r.rows, layout.rows)),
  };
}

/** The normalised rows before scale and bias, with each row's mean and inverse deviation. */
export function normalizeRows(x: NDArray, r: Omit<Rows, 'inner' | 'channels'>) {
  const values = new Float64Array(x.data.length);
  const mean = new Float64Array(r.rows);
  const inverse = new Float64Array(r.rows);
  for (let row = 0; row < r.rows; row++) {
    const elements = Array.from(x.data.subarray(row * r.length, (row + 1) * r.length));
    const m = r.centred ? elements.reduce((sum, v) => sum + v, 0) / r.length : 0;
    const variance = elements.reduce((sum, v) => sum + (v - m) ** 2, 0) / r.length;
    const inv = 1 / Math.sqrt(variance + r.epsilon);
    mean[row] = m;
    inverse[row] = inv;
    elements.forEach((v, i) => {
      values[row * r.length + i] = (v - m) * inv;
    });
  }
  return { values, mean, inverse };
}

/** The reference where scale and bias go by channel. */
export function normalizeByChannel(r: Rows, x: NDArray, scale: NDArray, bias: NDArray): NDArray {
  const { values } = normalizeRows(x, r);
  const out = ndarray(x.dtype, x.dims);
  values.forEach((v, i) => {
    const channel = Math.floor(i / r.inner) % r.channels;
    out.data[i] = v * (scale.data[channel] as number) + (bias.data[channel] as number);
  });
  return out;
}
