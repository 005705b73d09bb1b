// Softmax.plain, one invocation a row: compiles in little time. See shaders/plain-softmax.wgsl.

import text from '../../../shaders/plain-softmax.wgsl?raw';
import { byteSize, deviceType } from '../../base/dtype';
import { ceilDiv } from '../../base/shape';
import type { Kernel } from '../../ir/kernel';
import type { NodeView } from '../../ir/node-view';
import { mostWorkgroups } from '../wgsl/dispatch';
import { elemAliases } from '../wgsl/elements';

const workgroup = 64;

interface Rows {
  readonly rows: number;
  readonly length: number;
  /** Elements between neighbours of a row. */
  readonly inner: number;
}

/** @param functions WGSL of `scale_of` and `finish` */
export function plainSoftmax<A>(name: string, rowsOf: (n: NodeView<A>) => Rows, functions: string): Kernel<A> {
  return {
    name: 'plain',
    plain: true,
    when: (n) => rowsOf(n).rows <= workgroup * mostWorkgroups,
    cost(n) {
      const { rows, length } = rowsOf(n);
      return {
        flops: rows * length * 500,
        emulated: rows * length * 250,
        traffic: byteSize(deviceType(n.input(0).dtype)) * rows * length * 4,
        workgroups: ceilDiv(rows, workgroup),
      };
    },
    dispatches(n) {
      const { rows, length, inner } = rowsOf(n);
      const base =
        inner === 1
          ? 'row * params.length'
          : 'row / params.inner * (params.length * params.inner) + row % params.inner';
      return [
        {
          label: `${name}.plain`,
          wgsl: `${elemAliases(n.input(0).dtype)}${functions}fn base_of(row: u32) -> u32 { return ${base}; }\n${text}`,
          constants: { WORKGROUP: workgroup },
          bindings: { input: { input: 0 }, result: { output: 0 } },
          uniforms: { rows, length, inner },
          workgroups: [ceilDiv(rows, workgroup), 1, 1],
        },
      ];
    },
  };
}
