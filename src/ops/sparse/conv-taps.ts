// Conv.sparse-taps: convolution by few sparse weights, spelt out: a statement for each, so that all outputs share what is
// loaded of the input and no place is looked up. What the text says is where the weights lie; they themselves are data. See
// shaders/sparse-conv-taps.wgsl.

import text from '../../../shaders/sparse-conv-taps.wgsl?raw';
import packText from '../../../shaders/sparse-conv-taps-pack.wgsl?raw';
import { byteSize, deviceType } from '../../base/dtype';
import { ceilDiv } from '../../base/shape';
import type { Dispatch, Kernel, Operand } from '../../ir/kernel';
import { isFloating, type Tail } from '../conv/parts';
import { type ConvAttributes, type ConvNode, type ConvShape, convShape } from '../conv/shape';
import { linearHelpers, oneEach } from '../wgsl/dispatch';
import { elemAliases } from '../wgsl/elements';
import { epilogue } from '../wgsl/epilogue';

/** Small, so that few invocations still are work for every core. */
const workgroup = 16;

/** Statements, loads among them, and sums in flight: with more the text takes too long to compile. */
const mostStatements = 640;
const mostSums = 96;
/** Statements where there are fewer output pixels than that: little is gained in a run. */
const mostForFew = 288;
const fewPixels = 4096;

interface Tap {
  readonly output: number;
  /** Among all channels of the input. */
  readonly channel: number;
  readonly y: number;
  readonly x: number;
  /** Its number among the weights that are picked. */
  readonly weight: number;
}

function tapsOf(shape: ConvShape, places: readonly number[]): Tap[] {
  const { channels, taps, groupOut, window } = shape;
  const kernelX = window.kernel[2] as number;
  return places.map((place, weight) => {
    const tap = place % taps;
    const filter = (place - tap) / taps;
    const output = Math.floor(filter / channels);
    const channel = Math.floor(output / groupOut) * channels + (filter % channels);
    return { output, channel, y: Math.floor(tap / kernelX), x: tap % kernelX, weight };
  });
}

const each = <T>(count: number, of: (i: number) => T) => Array.from({ length: count }, (_, i) => of(i));

function grouped(taps: readonly Tap[], key: (tap: Tap) => number): Tap[][] {
  const groups = new Map<number, Tap[]>();
  for (const tap of taps) groups.set(key(tap), [...(groups.get(key(tap)) ?? []), tap]);
  return [...groups.values()];
}

/** What is loaded of a row of one channel. */
const usedColumns = (ofChannel: readonly Tap[]) => [...new Set(ofChannel.map(({ x }) => x))];

/** Elements that an input row is loaded as. */
function loadsOf(taps: readonly Tap[]): number {
  return grouped(taps, ({ channel }) => channel).reduce((sum, ofChannel) => sum + usedColumns(ofChannel).length, 0);
}

/** What shaders/sparse-conv-taps.wgsl calls. The sum of output `o` that has met so many rows of the kernel is `s${o}_${age}`. */
function tapsText(n: ConvNode, shape: ConvShape, taps: readonly Tap[]): string {
  const outputs = shape.groups * shape.groupOut;
  const [, kernelY, kernelX] = shape.window.kernel as [number, number, number];
  const dilation = shape.window.dilations[2] as number;
  const weightOf = (i: number) => `f32(weights[${i >> 4}].${'abcd'[(i >> 2) & 3]}.${'xyzw'[i & 3]})`;
  const sums = each(outputs, (o) => each(kernelY, (age) => `s${o}_${age}`));
  const older = (o: number, age: number) => (age === 0 ? `b${o}` : `s${o}_${age - 1}`);
  const adds = grouped(taps, ({ channel }) => channel).flatMap((ofChannel) => [
    ...usedColumns(ofChannel).map((k) => {
      const channel = `${(ofChannel[0] as Tap).channel}u * params.inputStep`;
      return `  line[${k}] = elementAt(at + ${channel} + ${k * dilation}u, exists & has[${k}]);`;
    }),
    ...grouped(ofChannel, ({ output, y }) => output * kernelY + y).map((ofSum) => {
      const { output, y } = ofSum[0] as Tap;
      return `  s${output}_${y} += ${ofSum.map(({ x, weight }) => `${weightOf(weight)} * line[${x}]`).join(' + ')};`;
    }),
  ]);
  return `
const OUTPUTS = ${outputs}u;
const KERNEL_Y = ${kernelY}u;
const LINES = ${ceilDiv(taps.length, 16)};
const HAS_BIAS = ${n.has(2)};
alias Columns = array<bool, ${kernelX}>;
fn hasColumn(column: i32) -> bool { return u32(column) < u32(params.inWidth); }
fn columnsAt(first: i32) -> Columns {
  return Columns(${each(kernelX, (k) => `hasColumn(first + ${k * dilation})`).join(', ')});
}
alias Line = array<f32, ${kernelX}>;
fn elementAt(at: u32, exists: bool) -> f32 { return select(0.0, f32(x[at]), exists); }
${each(outputs, (o) => `var<private> b${o}: f32;`).join('\n')}
${sums
  .flat()
  .map((sum) => `var<private> ${sum}: f32;`)
  .join('\n')}
fn loadBiases() {
${each(outputs, (o) => `  b${o} = biasOf(${o}u);`).join('\n')}
}
fn startRow() {
${sums.flatMap((ages, o) => each(kernelY, (i) => kernelY - 1 - i).map((age) => `  ${ages[age]} = ${older(o, age)};`)).join('\n')}
}
fn addRow(at: u32, has: Columns, exists: bool) {
  var line: Line;
${adds.join('\n')}
}
fn storeOldest(index: u32) {
${sums.map((ages, o) => `  store(index + ${o}u * params.outputStep, ${o}u, ${ages[kernelY - 1]});`).join('\n')}
}
`;
}

/** Declares output 0 as `y` at binding 2 and `store(index, channel, v)` of one element, after the fused program. */
function storeOne(n: ConvNode): Tail {
  const tail = epilogue(n, 1, 'same', 5);
  const text = `${tail.text}
@group(0) @binding(2) var<storage, read_write> y: array<elem>;
fn store(index: u32, channel: u32, v: f32) { y[index] = elem(epilogue(vec4f(v), index, channel).x); }
`;
  return { text, bindings: { y: { output: 0 }, ...tail.bindings } };
}

function packDispatch(n: ConvNode, places: readonly number[], picked: Operand): Dispatch {
  const count = places.length;
  const padded = 16 * ceilDiv(count, 16);
  return {
    label: 'Conv.packTaps',
    wgsl: elemAliases(n.input(1).dtype) + packText,
    bindings: { w: { input: 1 }, places: { table: 'places', data: Uint32Array.from(places) }, picked },
    uniforms: { count, padded },
    workgroups: oneEach(padded, 64),
    once: true,
  };
}

function tiling(n: ConvNode, rows: number) {
  const shape = convShape(n);
  const [, outHeight, outWidth] = shape.window.output as [number, number, number];
  const strips = ceilDiv(outHeight, rows);
  return { shape, outHeight, outWidth, strips, invocations: shape.batch * strips * outWidth };
}

const placesOf = (n: ConvNode) => n.input(1).pattern?.places ?? [];

export const sparseTaps: Kernel<ConvAttributes> = {
  name: 'sparse-taps',
  sparse: true,
  space: { rows: [1024, 8, 4, 2] },
  epilogueAxis: () => 1,
  // More registers than a GPU has.
  when(n, { software }) {
    if (!software || !n.input(1).isConstant || !isFloating(n)) return false;
    const shape = convShape(n);
    const { window, groups, groupOut, batch, pixels } = shape;
    const [, kernelY = 1, kernelX = 1] = window.kernel;
    const plain = window.rank < 3 && window.strides[1] === 1 && window.dilations[1] === 1;
    if (!plain || kernelX > mostSums || groups * groupOut * kernelY > mostSums) return false;
    const places = placesOf(n);
    const statements = places.length + loadsOf(tapsOf(shape, places));
    return statements > 0 && statements <= (batch * pixels < fewPixels ? mostForFew : mostStatements);
  },
  cost(n, { rows = 1 }) {
    const { shape, outHeight, strips, invocations } = tiling(n, rows);
    const places = placesOf(n);
    const loads = loadsOf(tapsOf(shape, places));
    const outputs = shape.groups * shape.groupOut;
    const kernelY = shape.window.kernel[1] as number;
    const outputRows = outHeight / strips;
    const inputRows = outputRows + kernelY - 1;
    const elements = inputRows * loads + places.length + outputs + outputs * outputRows;
    return {
      // Sums and weights come from memory, too, if not from a tensor's.
      flops: invocations * (inputRows * (places.length * 4 + loads * 5 + outputs * kernelY) + 200),
      traffic: byteSize(deviceType(n.input(0).dtype)) * invocations * elements,
      workgroups: ceilDiv(invocations, workgroup),
    };
  },
  dispatches(n, { rows = 1 }) {
    const { shape, outWidth, outHeight, strips, invocations } = tiling(n, rows);
    const { window, groups, channels, inputStep, outputStep } = shape;
    const places = placesOf(n);
    const taps = tapsOf(shape, places);
    const tail = storeOne(n);
    const bytes = 16 * ceilDiv(places.length, 16) * byteSize(deviceType(n.input(1).dtype));
    const picked: Operand = { scratch: 'picked', bytes };
    const front = [elemAliases(n.input(0).dtype), linearHelpers, tail.text, tapsText(n, shape, taps)];
    return [
      packDispatch(n, places, picked),
      {
        label: 'Conv.taps',
        wgsl: [...front, text].join(''),
        constants: { WORKGROUP: workgroup },
        bindings: { x: { input: 0 }, w: picked, bias: n.has(2) ? { input: 2 } : picked, ...tail.bindings },
        uniforms: {
          inWidth: window.input[2] as number,
          inHeight: window.input[1] as number,
          outWidth,
          outHeight,
          padX: window.begins[2] as number,
          padY: window.begins[1] as number,
          strideX: window.strides[2] as number,
          channels: groups * channels,
          inputStep,
          outputStep,
          rows,
          strips,
          invocations,
        },
        workgroups: oneEach(invocations, workgroup),
      },
    ];
  },
};
