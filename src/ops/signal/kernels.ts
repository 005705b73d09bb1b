// The kernels of lepton.DFT: whole lines in workgroup memory, or pass by pass through storage.

import lineText from '../../../shaders/dft-line.wgsl?raw';
import passText from '../../../shaders/dft-pass.wgsl?raw';
import signalText from '../../../shaders/dft-signal.wgsl?raw';
import { byteSize, deviceType } from '../../base/dtype';
import { ceilDiv } from '../../base/shape';
import type { UniformValue } from '../../base/wgsl-interface';
import type { Dispatch, Kernel, Operand, Tunables } from '../../ir/kernel';
import { foldWorkgroups, linearHelpers, oneEach } from '../wgsl/dispatch';
import { wordType } from '../wgsl/elements';
import { radicesOf } from './fourier';
import { type LinesNode, linesOf } from './lines';

const workgroupSize = 64;
const space = { radix: [8, 4, 16] };

/** Text in front of every shader, and the bindings and uniforms that all passes have in common. */
function parts(n: LinesNode) {
  const { lines, inner, frames, frameStep, size, taken, length, bins, components } = linesOf(n);
  const [window, factor] = [n.inputs[2], n.inputs[3]];
  const complexWindow = window?.dims.length === 2;
  const bindings: Record<string, Operand> = { x: { input: 0 }, y: { output: 0 }, turns: { input: 1 } };
  if (window) bindings.window = { input: 2 };
  if (factor) bindings.factors = { input: 3 };
  const front = `alias elem = ${wordType(n.input(0).dtype)};
${window ? `@group(0) @binding(6) var<storage, read> window: array<${wordType(window.dtype)}>;` : ''}
${factor ? '@group(0) @binding(7) var<storage, read> factors: array<vec2f>;' : ''}
fn windowed(v: vec2f, t: u32) -> vec2f {
  return ${!window ? 'v' : complexWindow ? 'times(v, vec2f(f32(window[2u * t]), f32(window[2u * t + 1u])))' : 'v * f32(window[t])'};
}
fn finished(v: vec2f, k: u32) -> vec2f { return ${factor ? 'times(v, factors[k])' : 'v'}; }
${linearHelpers}`;
  const uniforms: Record<string, UniformValue> = {
    lines,
    inner_count: inner,
    frames,
    frame_step: frameStep,
    size,
    taken,
    mirror: n.attributes.mirror,
    components,
    length,
    bins,
    real: n.attributes.real,
    scale: n.attributes.normalize ? 1 / length : 1,
    radix: 0,
    span: 1,
    first: 0,
    last: 0,
    passes: 0,
    radices: [],
  };
  return { front, bindings, uniforms };
}

function work(n: LinesNode, t: Tunables) {
  const { lines, length, bins, components } = linesOf(n);
  const radices = radicesOf(length, t.radix as number);
  return {
    radices,
    points: lines * length,
    /** Complex multiplications and additions. */
    turns: lines * length * radices.reduce((a, b) => a + b, 0),
    ends: lines * (length * components + 2 * bins) * byteSize(deviceType(n.input(0).dtype)),
  };
}

const line: Kernel = {
  name: 'line',
  space,
  when(n, { limits, software }) {
    // A software adapter spells out the clearing of workgroup memory, element by element: larger arrays take it
    // many seconds to compile.
    return 16 * linesOf(n).length <= (software ? 2048 : limits.maxComputeWorkgroupStorageSize);
  },
  cost(n, t) {
    const { lines, length } = linesOf(n);
    const { points, turns, ends, radices } = work(n, t);
    return {
      flops: 12 * turns,
      traffic: 8 * turns + ends,
      shared: 8 * turns + 8 * points * radices.length,
      cleared: lines * workgroupSize * 16 * length,
      workgroups: lines,
    };
  },
  dispatches(n, t) {
    const { front, bindings, uniforms } = parts(n);
    const { lines, length } = linesOf(n);
    const { radices } = work(n, t);
    return [
      {
        label: 'DFT.line',
        wgsl: `${front}${lineText}${signalText}`,
        constants: { workgroup_size: workgroupSize, numbers: length, points_size: 2 * length },
        bindings,
        uniforms: { ...uniforms, passes: radices.length, radices },
        workgroups: foldWorkgroups(lines),
      },
    ];
  },
};

const passes: Kernel = {
  name: 'passes',
  space,
  cost(n, t) {
    const { points, turns, ends, radices } = work(n, t);
    return {
      flops: 20 * turns,
      traffic: 16 * turns + 8 * points * (radices.length - 1) + ends,
      workgroups: ceilDiv(points, workgroupSize),
      dispatches: radices.length,
    };
  },
  dispatches(n, t) {
    const { front, bindings, uniforms } = parts(n);
    const { lines, length, bins } = linesOf(n);
    const { radices } = work(n, t);
    const bytes = radices.length > 1 ? 8 * lines * length : 16;
    let span = 1;
    return radices.map((radix, i): Dispatch => {
      const last = i === radices.length - 1;
      const [from, to] = i % 2 === 0 ? ['even', 'odd'] : ['odd', 'even'];
      const own = { radix, span, first: i === 0 ? 1 : 0, last: last ? 1 : 0 };
      span *= radix;
      return {
        label: `DFT.pass${i}`,
        wgsl: `${front}${passText}${signalText}`,
        constants: { workgroup_size: workgroupSize },
        bindings: {
          ...bindings,
          before: { scratch: from as string, bytes },
          after: { scratch: to as string, bytes },
        },
        uniforms: { ...uniforms, ...own },
        workgroups: oneEach(lines * (last ? bins : length), workgroupSize),
      };
    });
  },
};

export const lineKernels: Kernel[] = [line, passes];
