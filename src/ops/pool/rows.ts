// Pooling along output rows, four columns an invocation: for floats, where positions are not asked for. It shares
// divisions among the columns, and takes a fused program.

import text from '../../../shaders/pool-rows.wgsl?raw';
import { byteSize, deviceType } from '../../base/dtype';
import { ceilDiv, sizeOf } from '../../base/shape';
import type { Kernel } from '../../ir/kernel';
import { isFloating, storeText, windowUniforms } from '../conv/parts';
import { linearHelpers, oneEach } from '../wgsl/dispatch';
import { elemAliases } from '../wgsl/elements';
import type { Window } from '../window';
import { type PoolAttributes, type PoolNode, poolWindow } from './shape';

const workgroup = 64;

function tiling(n: PoolNode) {
  const window = poolWindow(n);
  const [outDepth, outHeight, outWidth] = window.output as [number, number, number];
  const [batch = 1, channels = 1] = n.input(0).dims;
  const rowQuads = ceilDiv(outWidth, 4);
  return { window, outWidth, channels, rowQuads, invocations: rowQuads * outHeight * outDepth * batch * channels };
}

/** Windows of 2×2 side by side, each whole. */
export function inPairs({ rank, input, output, kernel, strides, dilations, begins }: Window): boolean {
  const whole = (i: number) => begins[i] === 0 && 2 * (output[i] as number) <= (input[i] as number);
  const pair = [1, 2].every((i) => kernel[i] === 2 && strides[i] === 2 && dilations[i] === 1 && whole(i));
  return rank === 2 && pair;
}

/** @param countsPadding whether the average counts padding; undefined for the largest element */
export function poolRows<A extends PoolAttributes>(countsPadding?: (attributes: A) => boolean): Kernel<A> {
  return {
    name: 'rows',
    epilogueAxis: () => 1,
    when: (n) => isFloating(n) && !n.wants(1),
    cost(n) {
      const { window, invocations } = tiling(n);
      const taps = sizeOf(window.kernel);
      return {
        flops: invocations * (100 + (!countsPadding && inPairs(window) ? 60 : taps * 40)),
        traffic: byteSize(deviceType(n.input(0).dtype)) * invocations * 4 * (taps + 1),
        workgroups: ceilDiv(invocations, workgroup),
      };
    },
    dispatches(n) {
      const { window, outWidth, channels, rowQuads, invocations } = tiling(n);
      const pairs = !countsPadding && inPairs(window);
      const tail = storeText(n, outWidth % 4 === 0);
      const end = (i: number) => (window.input[i] as number) + (window.ends[i] as number);
      return [
        {
          label: `${n.node.op}.rows`,
          wgsl: elemAliases(n.input(0).dtype) + linearHelpers + tail.text + text,
          constants: { WORKGROUP: workgroup, AVERAGE: countsPadding ? 1 : 0, PAIRS: pairs ? 1 : 0 },
          bindings: { x: { input: 0 }, ...tail.bindings },
          uniforms: {
            ...windowUniforms(window),
            endX: end(2),
            endY: end(1),
            endZ: end(0),
            rowQuads,
            channels,
            countPadding: countsPadding?.(n.attributes) ? 1 : 0,
            invocations,
          },
          workgroups: oneEach(invocations, workgroup),
        },
      ];
    },
  };
}
