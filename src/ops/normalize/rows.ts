// What layer, RMS, group and instance normalisation share: rows of neighbouring elements are brought to mean
// 0 and variance 1, then scaled and shifted. Each says how its tensor falls into rows and channels.

import shader from '../../../shaders/normalize-rows.wgsl?raw';
import { byteSize, deviceType } from '../../base/dtype';
import { type NDArray, ndarray } from '../../base/ndarray';
import { ceilDiv } from '../../base/shape';
import type { Dispatch, Kernel } from '../../ir/kernel';
import type { NodeView } from '../../ir/node-view';
import { foldWorkgroups, linearHelpers } from '../wgsl/dispatch';
import { elementAt, quadType, unpackQuad, wordType } from '../wgsl/elements';
import { heldRows, type Joining, joinConstants, joinCost, joinings, joinText, sumPart } from '../wgsl/join-lanes';
import { laneLayout, loadsApart, rowWork } from '../wgsl/lanes';
import { rowAccessText } from '../wgsl/row-access';

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
  return joinings.map((joining) => ({
    ...heldRows(joining, (n) => rowsOf(n).length),
    cost(n, t) {
      const { rows, length } = rowsOf(n);
      const lanes = t.lanes as number;
      const { workgroups, steps, busy } = rowWork(rows, length, lanes);
      const { shared, cleared, emulated } = joinCost(joining, lanes, workgroups, sumPart);
      return {
        flops: busy * lanes * (16 * 20 * steps + (lanes > 1 ? 40 : 10)),
        // What does not stay in registers is read three times.
        traffic:
          busy *
          length *
          ((steps > 1 ? 4 : 2) * byteSize(deviceType(n.input(0).dtype)) * loadsApart(length, lanes) + 8),
        // Mean and variance, one after the other.
        shared: 2 * shared,
        cleared,
        emulated: 2 * emulated,
        workgroups,
      };
    },
    dispatches: (n, t) => [dispatch(n, `${name}.rows`, rowsOf(n), { joining, lanes: t.lanes as number })],
  }));
}

export const declare = (binding: number, variable: string, access: string, type: string) =>
  `@group(0) @binding(${binding}) var<storage, ${access}> ${variable}: array<${type}>;`;

interface Lanes {
  readonly joining: Joining;
  readonly lanes: number;
}

function dispatch(n: NodeView, label: string, r: Rows, { joining, lanes }: Lanes): Dispatch {
  const layout = laneLayout(lanes, r.rows);
  const { dtype } = n.input(0);
  const quads = ceilDiv(r.length, 4);
  const inQuads = r.length % 4 === 0;
  const statistics = ['mean', 'inverse']
    .map((quantity, i) => ({ quantity, output: i + 1 }))
    .filter((s) => n.wants(s.output));
  const wgsl = [
    joining.enable + linearHelpers,
    rowAccessText({ dtype, inQuads, distance: '1u' }),
    affineText(n, r, n.has(2)),
    ...statistics.map((s) =>
      declare(4 + s.output, `${s.quantity}_out`, 'read_write', wordType(n.output(s.output).dtype)),
    ),
    'fn store_statistics(row: u32, mean: f32, inverse: f32) {',
    ...statistics.map((s) => `  ${s.quantity}_out[row] = ${wordType(n.output(s.output).dtype)}(${s.quantity});`),
    '}\n',
    joinText(joining, lanes, sumPart),
  ].join('\n');
  return {
    label,
    wgsl: wgsl + shader,
    constants: { ...joinConstants(joining, layout), centred: r.centred ? 1 : 0, held: quads <= 4 * lanes ? 1 : 0 },
    bindings: {
      input: { input: 0 },
      result: { output: 0 },
      scale: { input: 1 },
      ...(n.has(2) && { bias: { input: 2 } }),
      ...Object.fromEntries(statistics.map((s) => [`${s.quantity}_out`, { output: s.output }])),
    },
    uniforms: { rows: r.rows, quads, length: r.length, inner: r.inner, channels: r.channels, epsilon: r.epsilon },
    workgroups: foldWorkgroups(ceilDiv(r.rows, layout.rows)),
  };
}

/**
 * WGSL `affine(base, quad, x)`: scale (input 1) and bias (input 2) for the quad of the row that starts at `base`, and their
 * bindings, 3 and 4.
 */
export function affineText(n: NodeView, { length, inner, channels }: Rows, biased: boolean): string {
  // Four elements have neighbouring scales, one scale, or any.
  const neighbours = length % 4 === 0 && inner === 1 && channels % 4 === 0;
  const alike = length % 4 === 0 && inner % 4 === 0;
  const parameter = (input: number, variable: string) => {
    const dtype = n.inputs[input]?.dtype;
    if (!dtype) return undefined;
    const type = neighbours ? quadType(dtype) : wordType(dtype);
    const lanes = ['k.x', 'k.y', 'k.z', 'k.w'].map((k) => elementAt(dtype, variable, k));
    const value = neighbours
      ? unpackQuad(dtype, `${variable}[k >> 2u]`)
      : alike
        ? `vec4f(${elementAt(dtype, variable, 'k')})`
        : `vec4f(${lanes.join(', ')})`;
    return { declaration: declare(2 + input, variable, 'read', type), value };
  };
  const [scale, bias] = [parameter(1, 'scale'), biased ? parameter(2, 'bias') : undefined];
  // Where every row has all channels, they start with it.
  const first = inner === 1 && channels === length ? 'quad * 4u' : 'base + quad * 4u';
  const at = neighbours || alike ? `(${first})` : `(vec4u(${first}) + vec4u(0u, 1u, 2u, 3u))`;
  const of = inner === 1 ? at : `${at} / params.inner`;
  const channel = neighbours && channels === length ? of : `${of} % params.channels`;
  return `${scale?.declaration ?? ''}
${bias?.declaration ?? ''}
fn affine(base: u32, quad: u32, x: vec4f) -> vec4f {
  let k = ${channel};
  return x${scale ? ` * ${scale.value}` : ''}${bias ? ` + ${bias.value}` : ''};
}`;
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
