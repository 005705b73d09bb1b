// lepton.ResizeTaps: the general form of Resize. Tables say, for each output position along each resized
// axis, which input positions it is mixed from (-1: outside, the extrapolation value) and with what weights;
// without weights each output element has one tap. Inputs: data, positions (int32), weights (float32), the
// axes' tables one behind the other.

import { ceilDiv, sizeOf, stridesOf } from '../base/shape';
import { float, required } from '../ir/attributes';
import type { Dispatch } from '../ir/kernel';
import type { NodeView } from '../ir/node-view';
import { defineOp } from '../ir/opdef';
import { mixTaps } from './resize-taps';
import { oneEach } from './wgsl/dispatch';
import {
  computeScalar,
  computeVec,
  elementAt,
  elementHelpers,
  literal,
  packQuad,
  quadType,
  wordsPerQuad,
  wordType,
} from './wgsl/elements';

const workgroupSize = 64;

type View = NodeView<{
  readonly axes: readonly number[];
  readonly sizes: readonly number[];
  readonly taps: readonly number[];
  readonly extrapolation_value: number;
}>;

/** The resized axes with the place of their tables. */
function axesOf(n: View) {
  const { axes, sizes, taps } = n.attributes;
  let start = 0;
  return axes.map((axis, k) => {
    const own = { axis, size: sizes[k] as number, taps: taps[k] as number, start };
    start += own.size * own.taps;
    return own;
  });
}

function resultDims(n: View): number[] {
  const dims = [...n.input(0).dims];
  for (const { axis, size } of axesOf(n)) dims[axis] = size;
  return dims;
}

/** Output dimensions from the outermost; those between resized axes are merged. */
function spansOf(n: View): { size: number; stride: number; table?: ReturnType<typeof axesOf>[number] }[] {
  const strides = stridesOf(n.input(0).dims);
  const spans: ReturnType<typeof spansOf> = [];
  resultDims(n).forEach((size, axis) => {
    const table = axesOf(n).find((t) => t.axis === axis);
    const last = spans.at(-1);
    const stride = strides[axis] as number;
    if (table) spans.push({ size, stride, table });
    else if (last && !last.table) spans[spans.length - 1] = { size: last.size * size, stride };
    else spans.push({ size, stride });
  });
  return spans;
}

function dispatch(n: View): Dispatch {
  const { dtype, dims } = n.output(0);
  const spans = spansOf(n);
  const weighted = n.has(2);
  const rank = spans.length;
  const vectors = ceilDiv(Math.max(1, rank), 4);
  const field = (name: string, d: number) => `params.${name}[${d >> 2}][${d & 3}]`;
  const decode = spans.map((_, k) => {
    const d = rank - 1 - k;
    return d === 0 ? '  let c0 = rest;' : `  let c${d} = rest % ${field('sizes', d)}; rest /= ${field('sizes', d)};`;
  });
  const fixed = spans.flatMap((s, d) => (s.table ? [] : [`c${d} * ${field('strides', d)}`]));
  const moving = spans.flatMap((s, d) => (s.table ? [d] : []));
  const scalar = weighted ? 'f32' : computeScalar(dtype);
  const source = elementAt(dtype, 'source', 'at');
  // From the innermost loop outwards.
  const loops = moving.reduceRight(
    (body, d, k) => {
      const outer = k === 0 ? ['base', '1.0'] : [`at${k - 1}`, `w${k - 1}`];
      return `for (var t${k} = 0u; t${k} < ${field('taps', d)}; t${k}++) {
    let e${k} = ${field('starts', d)} + c${d} * ${field('taps', d)} + t${k};
    let p${k} = positions[e${k}];
    if (p${k} < 0) { return ${weighted ? literal('float32', n.attributes.extrapolation_value) : literal(dtype, n.attributes.extrapolation_value)}; }
    let at${k} = ${outer[0]} + u32(p${k}) * ${field('strides', d)};
    ${weighted ? `let w${k} = ${outer[1]} * weights[e${k}];` : ''}
    ${body}
  }`;
    },
    `let at = at${moving.length - 1};
    ${weighted ? `sum += w${moving.length - 1} * f32(${source});` : `sum = ${source};`}`,
  );
  const first = weighted ? 3 : 2;
  const array = (name: string) => `${name}: array<vec4u, ${vectors}>`;
  const wgsl = `${elementHelpers}
struct Params { quads: u32, ${['sizes', 'strides', 'taps', 'starts'].map(array).join(', ')} }
@group(0) @binding(0) var<storage, read> source: array<${wordType(dtype)}>;
@group(0) @binding(1) var<storage, read> positions: array<i32>;
${weighted ? '@group(0) @binding(2) var<storage, read> weights: array<f32>;' : ''}
@group(0) @binding(${first}) var<storage, read_write> result: array<${quadType(dtype)}>;
@group(0) @binding(${first + 1}) var<uniform> params: Params;
fn mixed(index: u32) -> ${scalar} {
  var rest = index;
${decode.join('\n')}
  let base = ${fixed.join(' + ') || '0u'};
  var sum: ${scalar};
  ${loops}
  return sum;
}
@compute @workgroup_size(${workgroupSize})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) count: vec3u) {
  let quad = id.y * count.x * ${workgroupSize}u + id.x;
  if (quad >= params.quads) { return; }
  var value: vec4<${scalar}>;
  for (var k = 0u; k < 4u; k++) { value[k] = mixed(quad * 4u + k); }
  result[quad] = ${packQuad(dtype, `${computeVec(dtype)}(value)`)};
}
`;
  const quads = ceilDiv(sizeOf(dims), 4);
  return {
    label: weighted ? 'ResizeTaps.weighted' : 'ResizeTaps.nearest',
    wgsl,
    bindings: {
      source: { input: 0 },
      positions: { input: 1 },
      ...(weighted && { weights: { input: 2 } }),
      result: { output: 0 },
    },
    uniforms: {
      quads,
      sizes: spans.map((s) => s.size),
      strides: spans.map((s) => s.stride),
      taps: spans.map((s) => s.table?.taps ?? 1),
      starts: spans.map((s) => s.table?.start ?? 0),
    },
    workgroups: oneEach(quads, workgroupSize),
  };
}

export default defineOp({
  name: 'lepton.ResizeTaps',
  attributes: {
    axes: required('ints'),
    sizes: required('ints'),
    taps: required('ints'),
    extrapolation_value: float(0),
  },
  infer: (n) => [{ dtype: n.input(0).dtype, dims: resultDims(n) }],
  reference(n, [x, positions, weights]) {
    const [source, all] = [x ?? n.fail('lacks its data'), positions?.data ?? n.fail('lacks its positions')];
    const axes = axesOf(n).map(({ axis, size, taps, start }) => ({
      axis,
      taps,
      indices: all.subarray(start, start + size * taps),
      weights: weights?.data.subarray(start, start + size * taps) ?? new Float32Array(size).fill(1),
    }));
    return [mixTaps(source, resultDims(n), axes, n.attributes.extrapolation_value)];
  },
  kernels: [
    {
      name: 'generated',
      cost(n) {
        const elements = sizeOf(n.output(0).dims);
        const taps = n.attributes.taps.reduce((a, b) => a * b, 1);
        const bytes = wordsPerQuad(n.output(0).dtype);
        return {
          flops: elements * (3 * taps + 8),
          traffic: elements * (bytes + taps * (n.has(2) ? bytes + 8 : bytes + 4)),
          workgroups: ceilDiv(elements, 4 * workgroupSize),
        };
      },
      dispatches: (n) => [dispatch(n)],
    },
  ],
});
