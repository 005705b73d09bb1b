// Pooling's one kernel: a gather over the window, four outputs an invocation.

import text from '../../../shaders/pool.wgsl?raw';
import { byteSize, deviceType, isFloat } from '../../base/dtype';
import { ceilDiv, sizeOf } from '../../base/shape';
import type { Kernel, Operand } from '../../ir/kernel';
import { windowUniforms } from '../conv/parts';
import { linearHelpers, oneEach } from '../wgsl/dispatch';
import { computeScalar, elementAt, elementHelpers, packQuad, quadType, wordType } from '../wgsl/elements';
import { type PoolAttributes, poolWindow } from './shape';

const workgroup = 64;
const modes = { max: 0, average: 1, norm: 2 } as const;

export interface PoolOptions {
  readonly columnMajor?: boolean;
  readonly countPadding?: boolean;
  readonly p?: number;
}

export function poolKernel<A extends PoolAttributes>(
  mode: keyof typeof modes,
  options: (attributes: A) => PoolOptions,
): Kernel<A> {
  return {
    name: 'gather',
    when: (n) => mode === 'max' || isFloat(n.input(0).dtype),
    cost(n) {
      const quads = ceilDiv(sizeOf(n.output(0).dims), 4);
      const taps = sizeOf(poolWindow(n).kernel);
      return {
        // Each lane finds its own place, by divisions.
        flops: quads * (400 + taps * 100),
        traffic: byteSize(deviceType(n.input(0).dtype)) * quads * 4 * (taps + 1),
        workgroups: ceilDiv(quads, workgroup),
      };
    },
    dispatches(n) {
      const { dtype, dims } = n.output(0);
      const window = poolWindow(n);
      const { columnMajor = false, countPadding = false, p = 1 } = options(n.attributes);
      const quads = ceilDiv(sizeOf(dims), 4);
      const value = computeScalar(dtype);
      const indices = n.wants(1);
      const front = `${elementHelpers}${linearHelpers}
alias value = ${value};
alias word = ${wordType(dtype)};
@group(0) @binding(1) var<storage, read_write> y: array<${quadType(dtype)}>;
fn element(i: u32) -> value { return ${elementAt(dtype, 'x', 'i')}; }
fn storeQuad(quad: u32, v: vec4<value>) { y[quad] = ${packQuad(dtype, 'v')}; }
${indices ? '@group(0) @binding(3) var<storage, read_write> indices: array<vec4i>;' : ''}
fn storeIndices(quad: u32, v: vec4u) { ${indices ? 'indices[quad] = vec4i(v);' : ''} }
`;
      const end = (i: number) => (window.input[i] as number) + (window.ends[i] as number);
      const bindings: Record<string, Operand> = { x: { input: 0 }, y: { output: 0 } };
      if (indices) bindings.indices = { output: 1 };
      return [
        {
          label: `${n.node.op}.gather`,
          wgsl: front + text,
          constants: { WORKGROUP: workgroup, MODE: modes[mode] },
          bindings,
          uniforms: {
            ...windowUniforms(window),
            endX: end(2),
            endY: end(1),
            endZ: end(0),
            quads,
            columnMajor: columnMajor ? 1 : 0,
            countPadding: countPadding ? 1 : 0,
            lowest: { f32: Number.NEGATIVE_INFINITY, i32: -2147483648, u32: 0, bool: 0 }[value],
            p,
          },
          workgroups: oneEach(quads, workgroup),
        },
      ];
    },
  };
}
