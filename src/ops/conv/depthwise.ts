// Conv.depthwise: convolutions whose every output reads a single input channel, down strips of output rows. See
// shaders/conv-depthwise.wgsl.

import text from '../../../shaders/conv-depthwise.wgsl?raw';
import { byteSize, deviceType } from '../../base/dtype';
import { ceilDiv } from '../../base/shape';
import type { Kernel } from '../../ir/kernel';
import { linearHelpers, oneEach } from '../wgsl/dispatch';
import { elemAliases } from '../wgsl/elements';
import type { Window } from '../window';
import { lineColumns, lineText, mostColumns, tapSum } from './lines';
import { isFloating, storeText, windowUniforms } from './parts';
import { type ConvAttributes, type ConvNode, convShape } from './shape';

const workgroup = 64;

/** Taps above which the text, which spells them out, takes too long to compile, and sums that there are registers for. */
const mostTaps = 49;
const mostSums = 16;

/** Sums that a row of the input counts for, at most. */
function inFlight({ kernel, strides, dilations }: Window): number {
  return Math.floor((((kernel[1] as number) - 1) * (dilations[1] as number)) / (strides[1] as number)) + 1;
}

/** Rows of one vertical stride that any output reads, with the kernel rows that meet them by the age of the sum. */
function rowTaps({ kernel, strides, dilations }: Window): { row: number; age: number; tap: number }[] {
  const [, stride] = strides as [number, number, number];
  return Array.from({ length: kernel[1] as number }, (_, tap) => {
    const reach = tap * (dilations[1] as number);
    return { row: reach % stride, age: Math.floor(reach / stride), tap };
  });
}

function advanceText(window: Window): string {
  const sums = inFlight(window);
  const taps = rowTaps(window);
  const kernelX = window.kernel[2] as number;
  const rows = [...new Set(taps.map(({ row }) => row))];
  const lines = rows.map(
    (row) =>
      `  let line${row} = lineAt(at + ${row}u * u32(params.inWidth), has, y + ${row} >= 0 && y + ${row} < params.inHeight);`,
  );
  const updates = Array.from({ length: sums }, (_, i) => sums - 1 - i).map((age) => {
    const terms = taps
      .filter((t) => t.age === age)
      .map(({ row, tap }) => ` + ${tapSum(`line${row}`, window, (k) => `kernel[${tap * kernelX + k}]`)}`);
    return `  sums[${age}] = ${age === 0 ? 'start' : `sums[${age - 1}]`}${terms.join('')};`;
  });
  return `
const KERNEL_Y = ${window.kernel[1]}u;
const STRIDE_Y = ${window.strides[1]}u;
const IN_FLIGHT = ${sums}u;
fn advance(at: u32, y: i32, has: Columns) -> vec4f {
${[...lines, ...updates].join('\n')}
  return sums[${sums - 1}];
}
`;
}

/** Strips of output rows that one invocation owns four columns of. */
function tiling(n: ConvNode, rows: number) {
  const shape = convShape(n);
  const outputs = shape.groups * shape.groupOut;
  const [, outHeight, outWidth] = shape.window.output as [number, number, number];
  const rowQuads = ceilDiv(outWidth, 4);
  const strips = ceilDiv(outHeight, rows);
  return {
    shape,
    outputs,
    outHeight,
    outWidth,
    rowQuads,
    strips,
    invocations: rowQuads * strips * shape.batch * outputs,
  };
}

export const depthwise: Kernel<ConvAttributes> = {
  name: 'depthwise',
  space: { rows: [1024, 16, 4, 2] },
  epilogueAxis: () => 1,
  when(n) {
    const { channels, taps, window } = convShape(n);
    const fits = taps > 0 && taps <= mostTaps && lineColumns(window) <= mostColumns && inFlight(window) <= mostSums;
    return channels === 1 && window.rank < 3 && fits && isFloating(n);
  },
  // Long strips load least, but a GPU wants more invocations than they leave.
  legal: (_, { rows = 1 }, adapter) => adapter.software || rows <= 4,
  cost(n, { rows = 1 }) {
    const { shape, outHeight, strips, invocations } = tiling(n, rows);
    const { window, taps } = shape;
    const outputRows = outHeight / strips;
    const steps = outputRows + inFlight(window) - 1;
    const loads = steps * new Set(rowTaps(window).map((t) => t.row)).size * lineColumns(window) + taps;
    return {
      flops: invocations * (steps * (taps * 8 + 60) + 100 + 4 * loads),
      traffic: byteSize(deviceType(n.input(0).dtype)) * invocations * (loads + 4 * outputRows),
      workgroups: ceilDiv(invocations, workgroup),
    };
  },
  dispatches(n, { rows = 1 }) {
    const { shape, outputs, outWidth, rowQuads, strips, invocations } = tiling(n, rows);
    const tail = storeText(n, outWidth % 4 === 0, 5);
    const { window } = shape;
    return [
      {
        label: 'Conv.depthwise',
        wgsl: [
          elemAliases(n.input(0).dtype),
          linearHelpers,
          tail.text,
          lineText(window),
          advanceText(window),
          text,
        ].join(''),
        constants: { WORKGROUP: workgroup },
        bindings: { x: { input: 0 }, w: { input: 1 }, bias: { input: n.has(2) ? 2 : 1 }, ...tail.bindings },
        uniforms: {
          ...windowUniforms(window),
          outputs,
          multiplier: shape.groupOut,
          hasBias: n.has(2) ? 1 : 0,
          rowQuads,
          rows,
          strips,
          invocations,
        },
        workgroups: oneEach(invocations, workgroup),
      },
    ];
  },
};
