// Conv.plain: compiles in little time and runs in much. See shaders/plain-conv.wgsl.

import text from '../../../shaders/plain-conv.wgsl?raw';
import { byteSize, deviceType } from '../../base/dtype';
import { ceilDiv } from '../../base/shape';
import type { Kernel } from '../../ir/kernel';
import { isFloating, windowUniforms } from '../conv/parts';
import { type ConvAttributes, type ConvNode, convShape } from '../conv/shape';
import { mostWorkgroups } from '../wgsl/dispatch';
import { elemAliases } from '../wgsl/elements';
import { epilogueBeforeRelu } from '../wgsl/epilogue';

const workgroup = 64;

function tilesOf(n: ConvNode) {
  const { batch, groups, groupOut, window } = convShape(n);
  const [, height, width] = window.output as [number, number, number];
  const groupQuads = ceilDiv(groupOut, 4);
  return { rowQuads: height * ceilDiv(width, 4), channelQuads: groups * groupQuads, groupQuads, batch };
}

export const plainConv: Kernel<ConvAttributes> = {
  name: 'plain',
  plain: true,
  epilogueAxis: () => 1,
  when(n) {
    const { rowQuads, channelQuads, batch } = tilesOf(n);
    const most = Math.max(batch, channelQuads, ceilDiv(rowQuads, workgroup));
    return isFloating(n) && convShape(n).window.rank < 3 && most <= mostWorkgroups;
  },
  cost(n) {
    const { channels, taps } = convShape(n);
    const { rowQuads, channelQuads, batch } = tilesOf(n);
    const invocations = rowQuads * channelQuads * batch;
    return {
      flops: invocations * (140 * taps * channels + 400 * taps + 2300),
      traffic: byteSize(deviceType(n.input(0).dtype)) * invocations * (8 * taps * channels + 20),
      workgroups: ceilDiv(rowQuads, workgroup) * channelQuads * batch,
    };
  },
  dispatches(n) {
    const { channels, taps, inputStep, groups, groupOut, window } = convShape(n);
    const { rowQuads, channelQuads, groupQuads, batch } = tilesOf(n);
    const tail = epilogueBeforeRelu(n, 1, 'same', 5);
    return [
      {
        label: 'Conv.plain',
        wgsl: elemAliases(n.input(0).dtype) + tail.text + text,
        constants: { WORKGROUP: workgroup },
        bindings: {
          ...{ x: { input: 0 }, w: { input: 1 }, bias: { input: n.has(2) ? 2 : 1 }, y: { output: 0 } },
          ...tail.bindings,
        },
        uniforms: {
          ...windowUniforms(window),
          ...{ channels, taps, inputStep, groupOut, groupQuads, outputs: groups * groupOut },
          hasBias: n.has(2) ? 1 : 0,
          rectified: tail.rectified,
        },
        workgroups: [ceilDiv(rowQuads, workgroup), channelQuads, batch],
      },
    ];
  },
};
