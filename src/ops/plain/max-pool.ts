// MaxPool.plain: compiles in little time. See shaders/plain-max-pool.wgsl.

import text from '../../../shaders/plain-max-pool.wgsl?raw';
import { byteSize, deviceType, isFloat } from '../../base/dtype';
import { ceilDiv, sizeOf } from '../../base/shape';
import type { Kernel } from '../../ir/kernel';
import type { NodeView } from '../../ir/node-view';
import { windowUniforms } from '../conv/parts';
import { type PoolAttributes, poolWindow } from '../pool/shape';
import { mostWorkgroups } from '../wgsl/dispatch';
import { elemAliases } from '../wgsl/elements';

const workgroup = 64;

function sizes(n: NodeView) {
  const { dims } = n.output(0);
  return { pixels: sizeOf(dims.slice(2)), planes: sizeOf(dims.slice(0, 2)) };
}

export function plainMaxPool<A extends PoolAttributes>(): Kernel<A> {
  return {
    name: 'plain',
    plain: true,
    when(n) {
      const { pixels, planes } = sizes(n);
      const most = Math.max(planes, ceilDiv(pixels, workgroup));
      return isFloat(n.input(0).dtype) && !n.wants(1) && poolWindow(n).rank < 3 && most <= mostWorkgroups;
    },
    cost(n) {
      const outputs = sizeOf(n.output(0).dims);
      const taps = sizeOf(poolWindow(n).kernel);
      const { pixels, planes } = sizes(n);
      return {
        flops: outputs * taps * 16,
        traffic: byteSize(deviceType(n.input(0).dtype)) * outputs * (taps + 1),
        workgroups: ceilDiv(pixels, workgroup) * planes,
      };
    },
    dispatches(n) {
      const { pixels, planes } = sizes(n);
      const window = poolWindow(n);
      const extent = (axis: number) => (window.kernel[axis] as number) * (window.dilations[axis] as number);
      return [
        {
          label: 'MaxPool.plain',
          wgsl: elemAliases(n.output(0).dtype) + text,
          constants: { WORKGROUP: workgroup },
          bindings: { x: { input: 0 }, y: { output: 0 } },
          uniforms: {
            ...windowUniforms(window),
            pixels,
            extentX: extent(2),
            extentY: extent(1),
            lowest: Number.NEGATIVE_INFINITY,
          },
          workgroups: [ceilDiv(pixels, workgroup), planes, 1],
        },
      ];
    },
  };
}
