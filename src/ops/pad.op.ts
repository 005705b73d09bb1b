// Pad: a border around a tensor: one value, the edge repeated, or the inside mirrored or repeated. Negative
// pads crop; they crop before any border is made. Pads must be known before the run.

import { int64s, type NDArray, ndarray, scalar } from '../base/ndarray';
import { ceilDiv, sizeOf, stridesOf } from '../base/shape';
import { string } from '../ir/attributes';
import type { Dispatch } from '../ir/kernel';
import type { NodeView } from '../ir/node-view';
import { defineOp, type LowerBuilder, type OpCase } from '../ir/opdef';
import { axesOf } from './axes';
import { padded, reshape, sumTo, zeros } from './gradient';
import { oneEach } from './wgsl/dispatch';
import { eachLane, elementAt, elementHelpers, packQuad, quadType, wordsPerQuad, wordType } from './wgsl/elements';
import { bitsType } from './wgsl/strided-copy';

const workgroupSize = 64;
const modes = ['constant', 'reflect', 'edge', 'wrap'] as const;
type Mode = (typeof modes)[number];
type View = NodeView<{ readonly mode: string }>;

/** One dimension: of the input's elements, `stride` apart, `size` from `skip` on stand in the output from `begin` on. */
interface Span {
  readonly skip: number;
  readonly out: number;
  readonly size: number;
  readonly begin: number;
  readonly stride: number;
}

interface Border {
  readonly spans: readonly Span[];
  /** Element of the input where the part that is kept begins. */
  readonly offset: number;
  readonly mode: Mode;
}

function borderOf(n: View): Border {
  const { dims } = n.input(0);
  const mode =
    modes.find((m) => m === n.attributes.mode) ??
    n.fail(`has the mode "${n.attributes.mode}"; expected ${modes.join(', ')}`);
  const pads = n.numbers(1) ?? n.fail('lacks its pads (input 1)');
  const axes = axesOf(n, n.numbers(3) ?? dims.map((_, i) => i), dims.length);
  if (pads.length !== 2 * axes.length) n.fail(`has ${pads.length} pads for ${axes.length} axes`);
  let offset = 0;
  const strides = stridesOf(dims);
  const spans = dims.map((d, axis): Span => {
    const stride = strides[axis] as number;
    const i = axes.indexOf(axis);
    const begin = i < 0 ? 0 : (pads[i] as number);
    const end = i < 0 ? 0 : (pads[i + axes.length] as number);
    const size = d + Math.min(0, begin) + Math.min(0, end);
    const out = d + begin + end;
    if (size < 0 || out < 0) n.fail(`crops ${-begin} and ${-end} from the ${d} elements of axis ${axis}`);
    if (size === 0 && out > 0 && mode !== 'constant') n.fail(`has nothing to fill the border of axis ${axis} from`);
    const skip = Math.max(0, -begin);
    offset += skip * stride;
    return { skip, out, size, begin: Math.max(0, begin), stride };
  });
  return { spans, offset, mode };
}

function collapsed({ spans, mode }: Border): Span[] {
  const whole = (s: Span) => s.out === s.size;
  const out: Span[] = [];
  for (const span of spans) {
    if (span.out === 1 && span.size === 1) continue;
    const last = out.at(-1);
    // A border of whole rows is a border of all their elements, where it is of one value.
    if (last && whole(span) && (whole(last) || mode === 'constant') && last.stride === span.stride * span.size) {
      const { size, stride } = span;
      const begin = last.begin * size;
      out[out.length - 1] = { skip: 0, out: last.out * size, size: last.size * size, begin, stride };
    } else out.push(span);
  }
  return out.length > 0 ? out : [{ skip: 0, out: 1, size: 1, begin: 0, stride: 1 }];
}

/** Coordinate in the input of output coordinate `at`; undefined in a border of one value. */
function inside(at: number, { begin, size }: Span, mode: Mode): number | undefined {
  const c = at - begin;
  if (c >= 0 && c < size) return c;
  const wrapped = (period: number) => ((c % period) + period) % period;
  switch (mode) {
    case 'constant':
      return undefined;
    case 'edge':
      return c < 0 ? 0 : size - 1;
    case 'wrap':
      return wrapped(size);
    case 'reflect': {
      const period = Math.max(1, 2 * (size - 1));
      return Math.min(wrapped(period), period - wrapped(period)) % size;
    }
  }
}

const insideCode: Record<Mode, string> = {
  constant: 'if (u32(c) >= size) { return border(); }',
  edge: 'c = clamp(c, 0, i32(size) - 1);',
  wrap: 'c = (c % i32(size) + i32(size)) % i32(size);',
  reflect: `let period = max(1, 2 * (i32(size) - 1));
    c = (c % period + period) % period;
    c = min(c, period - c) % i32(size);`,
};

function inQuads(spans: readonly Span[], { offset, mode }: Border): boolean {
  const last = spans.at(-1) as Span;
  const whole = last.out === last.size;
  if (offset % 4 !== 0 || spans.slice(0, -1).some((s) => s.stride % 4 !== 0)) return false;
  if (spans.length === 1 && whole) return true;
  return (whole || mode === 'constant') && [last.out, last.size, last.begin].every((x) => x % 4 === 0);
}

function dispatch(n: View): Dispatch {
  const border = borderOf(n);
  const spans = collapsed(border);
  const { dtype, dims } = n.output(0);
  const bits = bitsType(dtype);
  const quads = inQuads(spans, border);
  const rank = spans.length;
  const field = (name: string, d: number) => `params.${name}[${d >> 2}][${d & 3}]`;
  const steps = Array.from({ length: rank }, (_, k) => {
    const d = rank - 1 - k;
    const at = d === 0 ? 'rest' : `rest % ${field('dims', d)}`;
    return `{
    let size = ${field('sizes', d)};
    var c = i32(${at}) - i32(${field('begins', d)});
    ${insideCode[border.mode]}
    at += u32(c) * ${field('strides', d)};
    ${d === 0 ? '' : `rest /= ${field('dims', d)};`}
  }`;
  });
  const hasValue = n.has(2);
  const value = hasValue ? elementAt(bits, 'value', '0u') : '0u';
  const vectors = ceilDiv(rank, 4);
  const result = hasValue ? 2 : 1;
  const wgsl = `${elementHelpers}
struct Params {
  quads: u32, offset: u32,
  dims: array<vec4u, ${vectors}>, sizes: array<vec4u, ${vectors}>, begins: array<vec4u, ${vectors}>, strides: array<vec4u, ${vectors}>
}
@group(0) @binding(0) var<storage, read> source: array<${quads ? quadType(bits) : wordType(bits)}>;
${hasValue ? `@group(0) @binding(1) var<storage, read> value: array<${wordType(bits)}>;` : ''}
@group(0) @binding(${result}) var<storage, read_write> result: array<${quadType(bits)}>;
@group(0) @binding(${result + 1}) var<uniform> params: Params;
fn border() -> ${quads ? quadType(bits) : 'u32'} { return ${quads ? packQuad(bits, `vec4u(${value})`) : value}; }
fn load(index: u32) -> ${quads ? quadType(bits) : 'u32'} {
  var rest = index;
  var at = params.offset;
  ${steps.join('\n  ')}
  return ${quads ? 'source[at >> 2u]' : elementAt(bits, 'source', 'at')};
}
@compute @workgroup_size(${workgroupSize})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) count: vec3u) {
  let quad = id.y * count.x * ${workgroupSize}u + id.x;
  if (quad >= params.quads) { return; }
  ${quads ? 'result[quad] = load(quad * 4u);' : `${eachLane('load(quad * 4u + k)')}\n  result[quad] = ${packQuad(bits, 'lanes')};`}
}
`;
  const count = ceilDiv(sizeOf(dims), 4);
  return {
    label: `Pad.${border.mode}`,
    wgsl,
    bindings: { source: { input: 0 }, ...(hasValue && { value: { input: 2 } }), result: { output: 0 } },
    uniforms: {
      quads: count,
      offset: border.offset,
      dims: spans.map((s) => s.out),
      sizes: spans.map((s) => s.size),
      begins: spans.map((s) => s.begin),
      strides: spans.map((s) => s.stride),
    },
    workgroups: oneEach(count, workgroupSize),
  };
}

function reference(n: View, x: NDArray, value: number): NDArray {
  const { spans, offset, mode } = borderOf(n);
  const out = ndarray(
    x.dtype,
    spans.map((s) => s.out),
  );
  for (let i = 0; i < out.data.length; i++) {
    let rest = i;
    let from: number | undefined = offset;
    for (const span of [...spans].reverse()) {
      const c = inside(rest % span.out, span, mode);
      from = c === undefined || from === undefined ? undefined : from + c * span.stride;
      rest = Math.floor(rest / span.out);
    }
    out.data[i] = from === undefined ? value : (x.data[from] as number);
  }
  return out;
}

/**
 * Adds slices of `value` along `axis` up at their places in `size` slices of zeros, a run of neighbouring places at a time:
 * forwards, backwards, or all at one place.
 */
function backTo(b: LowerBuilder, value: string, axis: number, size: number, places: readonly number[]): string {
  const rank = b.type(value).dims.length;
  const along = (width: number) => Array.from({ length: rank }, (_, d) => (d === axis ? width : 0));
  const list = (at: number) => b.constant(int64s([at]));
  const parts: string[] = [];
  for (let from = 0; from < places.length; ) {
    const first = places[from] as number;
    const step = (places[from + 1] ?? first + 1) - first;
    let to = from + 1;
    while (Math.abs(step) <= 1 && to < places.length && places[to] === first + step * (to - from)) to++;
    const count = to - from;
    const [start, end, way] = step === -1 ? [to - 1, from > 0 ? from - 1 : -(2 ** 31), -1] : [from, to, 1];
    let [part] = b.add('Slice', [value, list(start), list(end), list(axis), list(way)]) as [string];
    if (step === 0) [part] = b.add('ReduceSum', [part, list(axis)], { keepdims: 1 }) as [string];
    const [least, width] = [step === -1 ? first - count + 1 : first, step === 0 ? 1 : count];
    parts.push(padded(b, part, along(least), along(size - least - width)));
    from = to;
  }
  return parts.length === 0
    ? padded(b, value, along(0), along(size))
    : parts.reduce((s, p) => b.add('Add', [s, p])[0] as string);
}

/** Of the input, and of the value where the border has one. */
function padGrad(n: View, b: LowerBuilder, gradient: string): (string | undefined)[] {
  const { dtype, dims } = n.input(0);
  const { spans, mode } = borderOf(n);
  const [, pads = '', , axes = ''] = n.node.inputs;
  if (mode !== 'constant') {
    const places = (span: Span) =>
      Array.from({ length: span.out }, (_, at) => span.skip + (inside(at, span, mode) as number));
    return [spans.reduce((value, span, axis) => backTo(b, value, axis, dims[axis] as number, places(span)), gradient)];
  }
  const before = spans.map(({ skip, begin }) => skip - begin);
  const after = spans.map(({ out }, axis) => (dims[axis] as number) - (before[axis] as number) - out);
  const inner = padded(b, gradient, before, after);
  if (!n.inputs[2] || n.inputs[2].isConstant) return [inner];
  const [border] = b.add('Pad', [zeros(b, dtype, dims), pads, b.constant(scalar(dtype, 1)), axes]) as [string];
  const outside = b.add('Mul', [gradient, border]);
  return [inner, undefined, reshape(b, sumTo(b, outside[0] as string, []), n.inputs[2].dims)];
}

export default defineOp({
  name: 'Pad',
  attributes: { mode: string('constant') },
  infer: (n) => [{ dtype: n.input(0).dtype, dims: borderOf(n).spans.map((s) => s.out) }],
  reference: (n, [x, , value]) => [reference(n, x ?? n.fail('lacks its input'), value?.data[0] ?? 0)],
  grad: (n, b, [gradient]) => (gradient === undefined ? [] : padGrad(n, b, gradient)),
  kernels: [
    {
      name: 'generated',
      cost(n) {
        const border = borderOf(n);
        const spans = collapsed(border);
        const lanes = inQuads(spans, border) ? 1 : 4;
        const quads = ceilDiv(sizeOf(n.output(0).dims), 4);
        const bytes = 4 * wordsPerQuad(n.output(0).dtype);
        return {
          flops: quads * lanes * 6 * spans.length,
          traffic: quads * (bytes + (lanes === 1 ? bytes : 16)),
          workgroups: ceilDiv(quads, workgroupSize),
        };
      },
      dispatches: (n) => [dispatch(n)],
    },
  ],
});

const list = (...values: number[]) => ({ dtype: 'int64', dims: [values.length], values, constant: true }) as const;
const image = { dims: [1, 2, 3, 5] };

export const cases: OpCase[] = [
  { name: 'zeros around images', inputs: [image, list(0, 0, 1, 2, 0, 0, 3, 1)] },
  { name: 'a value', inputs: [image, list(0, 1, 1, 2, 0, 0, 3, 1), { dims: [], values: [1.5] }] },
  { name: 'rows in quads', inputs: [{ dims: [3, 8] }, list(1, 0, 2, 0), { dims: [], values: [-1] }] },
  { name: 'named axes', inputs: [image, list(1, 2), undefined, list(-1)] },
  { name: 'cropped and padded', inputs: [{ dims: [4, 129] }, list(-1, 2, 2, -127)] },
  { name: 'reflect', inputs: [image, list(0, 0, 2, 3, 0, 0, 1, 4)], attributes: { mode: 'reflect' } },
  { name: 'reflect more than once', inputs: [{ dims: [2, 3] }, list(3, 7, 0, 5)], attributes: { mode: 'reflect' } },
  {
    name: 'reflect rows in quads',
    inputs: [{ dims: [2, 3, 4] }, list(0, 2, 0, 0, 1, 0)],
    attributes: { mode: 'reflect' },
  },
  { name: 'edge', inputs: [image, list(0, 1, 2, 3, 1, 0, 1, 2)], attributes: { mode: 'edge' } },
  { name: 'wrap', inputs: [image, list(0, 0, 2, 7, 0, 0, 4, 6)], attributes: { mode: 'wrap' } },
  { name: 'cropped wrap', inputs: [{ dims: [7] }, list(-2, 4)], attributes: { mode: 'wrap' } },
  { name: 'int64', inputs: [{ dtype: 'int64', dims: [5] }, list(1, 2), { dtype: 'int64', dims: [], values: [-3] }] },
  {
    name: 'float16',
    inputs: [{ dtype: 'float16', dims: [3, 3] }, list(1, 0, 0, 2), { dtype: 'float16', dims: [], values: [0.5] }],
  },
  {
    name: 'bool',
    inputs: [{ dtype: 'bool', dims: [3], range: [0, 1] }, list(2, 3), { dtype: 'bool', dims: [], values: [1] }],
  },
];
