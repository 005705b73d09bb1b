// The kernels of pooling's gradients: a gather over the windows that meet an input, which for the largest needs to know which
// element each window took; and for the commonest pooling, windows of 2×2 side by side, an invocation for two windows.

import text from '../../../shaders/pool-gradient.wgsl?raw';
import pairsText from '../../../shaders/pool-gradient-pairs.wgsl?raw';
import largestText from '../../../shaders/pool-largest.wgsl?raw';
import { byteSize, deviceType } from '../../base/dtype';
import { ceilDiv, sizeOf } from '../../base/shape';
import type { Dispatch, Kernel, Operand } from '../../ir/kernel';
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

/** Windows along each axis that an input lies between the ends of, at most. */
function windowsMet({ kernel, strides, dilations }: Window): [number, number, number] {
  const along = (i: number) =>
    ceilDiv(((kernel[i] as number) - 1) * (dilations[i] as number) + 1, strides[i] as number);
  return [along(0), along(1), along(2)];
}

/** Finds which element each window took. */
function largestDispatch(n: NodeView, window: Window, places: Operand): Dispatch {
  const [depth, height, width] = window.output as [number, number, number];
  const [batch = 1, channels = 1] = n.output(0).dims;
  const rowQuads = ceilDiv(width, 4);
  const invocations = rowQuads * height * depth * batch * channels;
  return {
    label: `${n.node.op}.largest`,
    wgsl: elemAliases(n.input(0).dtype) + linearHelpers + largestText,
    constants: { WORKGROUP: workgroup },
    bindings: { x: { input: 0 }, places },
    uniforms: { ...windowUniforms(window), rowQuads, invocations },
    workgroups: oneEach(invocations, workgroup),
  };
}

const everyTap = 'fn counts(at: vec4u, tap: vec4i) -> vec4<bool> { return vec4<bool>(true); }\n';
const largestTap = `
@group(0) @binding(1) var<storage, read> places: array<i32>;
fn counts(at: vec4u, tap: vec4i) -> vec4<bool> {
  return tap == vec4i(places[at.x], places[at.y], places[at.z], places[at.w]);
}
`;

/**
 * @param windowOf the pooling's window
 * @param ofLargest whether the inputs are x and the gradient of the largest, instead of the gradient of sums alone
 */
export function gatherGradient<A>(windowOf: (n: NodeView<A>) => Window, ofLargest: boolean): Kernel<A> {
  return {
    name: 'gather',
    epilogueAxis: () => 1,
    when: isFloating,
    cost(n) {
      const window = windowOf(n);
      const { invocations } = tiling(n, window, 1);
      const met = sizeOf(windowsMet(window));
      const outputs = n.input(ofLargest ? 1 : 0).dims;
      const quads = ofLargest ? sizeOf(outputs) / 4 : 0;
      const taps = sizeOf(window.kernel);
      return {
        flops: invocations * (200 + met * 100) + quads * (200 + taps * 60),
        traffic: bytesOf(n) * 4 * (invocations * (met * (ofLargest ? 2 : 1) + 1) + quads * (taps + 1)),
        workgroups: ceilDiv(invocations, workgroup),
        dispatches: ofLargest ? 2 : 1,
      };
    },
    dispatches(n) {
      const window = windowOf(n);
      const { width, channels, rowQuads, invocations } = tiling(n, window, 1);
      const [windowsZ, windowsY, windowsX] = windowsMet(window);
      const places: Operand = { scratch: 'places', bytes: 4 * sizeOf(n.input(ofLargest ? 1 : 0).dims) };
      const tail = storeText(n, width % 4 === 0);
      const gather: Dispatch = {
        label: `${n.node.op}.gather`,
        wgsl: [elemAliases(n.output(0).dtype), linearHelpers, tail.text, ofLargest ? largestTap : everyTap, text].join(
          '',
        ),
        constants: { WORKGROUP: workgroup },
        bindings: { dy: { input: ofLargest ? 1 : 0 }, ...(ofLargest && { places }), ...tail.bindings },
        uniforms: { ...windowUniforms(window), windowsX, windowsY, windowsZ, rowQuads, channels, invocations },
        workgroups: oneEach(invocations, workgroup),
      };
      return ofLargest ? [largestDispatch(n, window, places), gather] : [gather];
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
          bindings: { x: { input: 0 }, dy: { input: 1 }, ...tail.bindings },
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
