// The kernels of pooling's gradients: a gather over the windows that meet an input, and for the commonest pooling, windows
// of 2×2 side by side, an invocation for two windows.

import text from '../../../shaders/pool-gradient.wgsl?raw';
import maxText from '../../../shaders/pool-gradient-max.wgsl?raw';
import pairsText from '../../../shaders/pool-gradient-pairs.wgsl?raw';
import { byteSize, deviceType } from '../../base/dtype';
import { ceilDiv, sizeOf } from '../../base/shape';
import type { Kernel } from '../../ir/kernel';
import type { NodeView } from '../../ir/node-view';
import { isFloating, storeText, windowUniforms } from '../conv/parts';
import { linearHelpers, oneEach } from '../wgsl/dispatch';
import { elemAliases } from '../wgsl/elements';
import type { Window } from '../window';
import { inPairs } from './rows';

const workgroup = 64;

function tiling(n: NodeView, window: Window, rowsEach: number) {
  const [depth, height, width] = window.input as [number, number, number];
  const [batch = 1, channels = 1] = n.output(0).dims;
  const rowQuads = ceilDiv(width, 4);
  const lines = depth * ceilDiv(height, rowsEach);
  return { width, height, channels, rowQuads, lines, invocations: rowQuads * lines * batch * channels };
}

const bytesOf = (n: NodeView) => byteSize(deviceType(n.output(0).dtype));

const everyInput = `
fn startLanes(at: vec4u) {}
fn counts(o: Windows, wanted: vec4<bool>) -> vec4<bool> { return wanted; }
`;

/**
 * @param windowOf the pooling's window
 * @param ofLargest whether the inputs are x, the pooled values and their gradient, instead of the gradient alone
 */
export function gatherGradient<A>(windowOf: (n: NodeView<A>) => Window, ofLargest: boolean): Kernel<A> {
  return {
    name: 'gather',
    epilogueAxis: () => 1,
    when: isFloating,
    cost(n) {
      const window = windowOf(n);
      const { invocations } = tiling(n, window, 1);
      const taps = sizeOf(window.kernel);
      const met = Math.max(1, taps / sizeOf(window.strides));
      return {
        flops: invocations * (150 + taps * 60 + (ofLargest ? 200 + met * 40 : 0)),
        traffic: bytesOf(n) * invocations * 4 * (met * (ofLargest ? 3 : 1) + 1),
        workgroups: ceilDiv(invocations, workgroup),
      };
    },
    dispatches(n) {
      const window = windowOf(n);
      const { width, channels, rowQuads, invocations } = tiling(n, window, 1);
      const tail = storeText(n, width % 4 === 0, 5);
      return [
        {
          label: `${n.node.op}.gather`,
          wgsl: [elemAliases(n.output(0).dtype), linearHelpers, tail.text, text, ofLargest ? maxText : everyInput].join(
            '',
          ),
          constants: { WORKGROUP: workgroup },
          bindings: {
            ...(ofLargest ? { x: { input: 0 }, pooled: { input: 1 }, dy: { input: 2 } } : { dy: { input: 0 } }),
            ...tail.bindings,
          },
          uniforms: { ...windowUniforms(window), rowQuads, channels, invocations },
          workgroups: oneEach(invocations, workgroup),
        },
      ];
    },
  };
}

/** Of the largest of 2×2. */
export function pairsGradient<A>(windowOf: (n: NodeView<A>) => Window): Kernel<A> {
  return {
    name: 'pairs',
    epilogueAxis: () => 1,
    when: (n) => isFloating(n) && inPairs(windowOf(n)),
    cost(n) {
      const { invocations } = tiling(n, windowOf(n), 2);
      return {
        flops: invocations * 250,
        traffic: bytesOf(n) * invocations * 18,
        workgroups: ceilDiv(invocations, workgroup),
      };
    },
    dispatches(n) {
      const window = windowOf(n);
      const { width, height, channels, rowQuads, lines, invocations } = tiling(n, window, 2);
      const [, outHeight, outWidth] = window.output as [number, number, number];
      const tail = storeText(n, width % 4 === 0);
      return [
        {
          label: `${n.node.op}.pairs`,
          wgsl: elemAliases(n.output(0).dtype) + linearHelpers + tail.text + pairsText,
          constants: { WORKGROUP: workgroup },
          bindings: { x: { input: 0 }, dy: { input: 2 }, ...tail.bindings },
          uniforms: {
            ...{ inWidth: width, inHeight: height, outWidth, outHeight },
            ...{ rowQuads, rowPairs: lines, channels, invocations },
          },
          workgroups: oneEach(invocations, workgroup),
        },
      ];
    },
  };
}
