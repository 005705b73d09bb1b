// Concat: tensors in a row along one axis. One dispatch copies as many inputs as the adapter binds at once;
// where there are more, further dispatches write the rest of the same output.

import { int64s, ndarray } from '../base/ndarray';
import { ceilDiv, type Dims, formatDims, sizeOf } from '../base/shape';
import { required } from '../ir/attributes';
import type { Dispatch } from '../ir/kernel';
import type { NodeView } from '../ir/node-view';
import { defineOp, type OpCase } from '../ir/opdef';
import { axisOf } from './axes';
import { oneEach } from './wgsl/dispatch';
import {
  eachLane,
  elementAt,
  elementHelpers,
  packQuad,
  quadType,
  unpackQuad,
  wordsPerQuad,
  wordType,
} from './wgsl/elements';
import { bitsType } from './wgsl/strided-copy';

const workgroupSize = 64;

type View = NodeView<{ readonly axis: number }>;

function resultDims(n: View): number[] {
  const first = n.input(0);
  const axis = axisOf(n, n.attributes.axis, first.dims.length);
  let along = 0;
  n.inputs.forEach((_, i) => {
    const { dtype, dims } = n.input(i);
    const fits = dims.length === first.dims.length && dims.every((d, k) => k === axis || d === first.dims[k]);
    if (!fits) n.fail(`joins ${formatDims(dims)} to ${formatDims(first.dims)} along axis ${axis}`);
    if (dtype !== first.dtype) n.fail(`joins ${dtype} to ${first.dtype}`);
    along += dims[axis] as number;
  });
  return first.dims.with(axis, along);
}

/** An input's part of each output row: a row is everything at one place of the axes before the axis. */
interface Part {
  readonly input: number;
  readonly start: number;
  readonly length: number;
}

function partsOf(n: View): { parts: Part[]; row: number } {
  const axis = axisOf(n, n.attributes.axis, n.input(0).dims.length);
  const lengthOf = (dims: Dims) => sizeOf(dims.slice(axis));
  let start = 0;
  const parts: Part[] = [];
  n.inputs.forEach((_, input) => {
    const length = lengthOf(n.input(input).dims);
    if (length > 0) parts.push({ input, start, length });
    start += length;
  });
  return { parts, row: start };
}

function inQuads(parts: readonly Part[]): boolean {
  return parts.every((p) => p.length % 4 === 0);
}

function chunks<T>(items: readonly T[], most: number): T[][] {
  return Array.from({ length: ceilDiv(items.length, most) }, (_, i) => items.slice(i * most, (i + 1) * most));
}

/** Copies some inputs; the rest of the output keeps what other dispatches wrote. */
function dispatch(n: View, group: readonly Part[], row: number, quads: boolean, alone: boolean): Dispatch {
  const { dtype, dims } = n.output(0);
  const bits = bitsType(dtype);
  const unit = quads ? 4 : 1;
  const start = (group[0] as Part).start;
  const length = group.reduce((sum, p) => sum + p.length, 0);
  const vectors = ceilDiv(group.length, 4);
  const lengthAt = (k: number) => `params.lengths[${k >> 2}][${k & 3}]`;
  const find = (found: (k: number) => string) =>
    group.map((_, k) => `if (at < ${lengthAt(k)}) { ${found(k)} }\n  at -= ${lengthAt(k)};`).join('\n  ');
  const body = quads
    ? `let row = item / params.length;
  var at = item % params.length;
  let to = row * params.row + params.start + at;
  ${find((k) => `result[to] = a${k}[row * ${lengthAt(k)} + at]; return;`)}`
    : `${alone ? '' : `var old = ${unpackQuad(bits, 'result[item]')};`}
  ${eachLane(`lane(item * 4u + k, ${alone ? '0u' : 'old[k]'})`)}
  result[item] = ${packQuad(bits, 'lanes')};`;
  // In front of the group's start the subtraction wraps, so that no part is found.
  const lane = `fn lane(index: u32, old: u32) -> u32 {
  let row = index / params.row;
  var at = index % params.row - params.start;
  ${find((k) => `return ${elementAt(bits, `a${k}`, `row * ${lengthAt(k)} + at`)};`)}
  return old;
}`;
  const type = quads ? quadType(bits) : wordType(bits);
  const inputs = group.map((_, k) => `@group(0) @binding(${k}) var<storage, read> a${k}: array<${type}>;`);
  const wgsl = `${elementHelpers}
struct Params { items: u32, row: u32, start: u32, length: u32, lengths: array<vec4u, ${vectors}> }
${inputs.join('\n')}
@group(0) @binding(${group.length}) var<storage, read_write> result: array<${quadType(bits)}>;
@group(0) @binding(${group.length + 1}) var<uniform> params: Params;
${quads ? '' : lane}
@compute @workgroup_size(${workgroupSize})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) count: vec3u) {
  let item = id.y * count.x * ${workgroupSize}u + id.x;
  if (item >= params.items) { return; }
  ${body}
}
`;
  const elements = sizeOf(dims);
  const items = quads ? ((elements / row) * length) / 4 : ceilDiv(elements, 4);
  return {
    label: quads ? 'Concat.quads' : 'Concat.lanes',
    wgsl,
    bindings: {
      ...Object.fromEntries(group.map((p, k) => [`a${k}`, { input: p.input }])),
      result: { output: 0 },
    },
    uniforms: {
      items,
      row: row / unit,
      start: start / unit,
      length: length / unit,
      lengths: group.map((p) => p.length / unit),
    },
    workgroups: oneEach(items, workgroupSize),
  };
}

export default defineOp({
  name: 'Concat',
  attributes: { axis: required('int') },
  infer: (n) => [{ dtype: n.input(0).dtype, dims: resultDims(n) }],
  reference(n, inputs) {
    const out = ndarray(n.input(0).dtype, resultDims(n));
    const { parts, row } = partsOf(n);
    for (const { input, start, length } of parts) {
      const source = inputs[input]?.data ?? n.fail(`lacks its input ${input}`);
      for (let i = 0; i < source.length; i++) {
        out.data[Math.floor(i / length) * row + start + (i % length)] = source[i] as number;
      }
    }
    return [out];
  },
  grad(n, b, [gradient]) {
    if (gradient === undefined) return [];
    if (n.inputs.length === 1) return [gradient];
    const axis = axisOf(n, n.attributes.axis, n.input(0).dims.length);
    const sizes = n.inputs.map((_, i) => n.input(i).dims[axis] as number);
    return b.add('Split', [gradient, b.constant(int64s(sizes))], { axis }, sizes.length);
  },
  kernels: [
    {
      name: 'copy',
      cost(n) {
        const { parts } = partsOf(n);
        const quads = ceilDiv(sizeOf(n.output(0).dims), 4);
        const bytes = 4 * wordsPerQuad(n.output(0).dtype);
        return {
          flops: quads * (inQuads(parts) ? 4 : 16),
          traffic: quads * (bytes + (inQuads(parts) ? bytes : 16)),
          workgroups: ceilDiv(quads, workgroupSize),
          dispatches: ceilDiv(parts.length, 7),
        };
      },
      stretches(n) {
        const { parts, row } = partsOf(n);
        const starts = n.inputs.map((_, i) => parts.find((p) => p.input === i)?.start);
        return row === sizeOf(n.output(0).dims) ? { of: 'output', starts } : undefined;
      },
      dispatches(n, _, adapter) {
        const { parts, row } = partsOf(n);
        const groups = chunks(parts, adapter.limits.maxStorageBuffersPerShaderStage - 1);
        return groups.map((group) => dispatch(n, group, row, inQuads(parts), groups.length === 1));
      },
    },
  ],
});

export const cases: OpCase[] = [
  { name: 'channels in quads', inputs: [{ dims: [2, 3, 2, 4] }, { dims: [2, 1, 2, 4] }], attributes: { axis: 1 } },
  { name: 'odd sizes', inputs: [{ dims: [3, 1] }, { dims: [3, 127] }, { dims: [3, 3] }], attributes: { axis: -1 } },
  { name: 'one input', inputs: [{ dims: [129] }], attributes: { axis: 0 } },
  { name: 'an empty input', inputs: [{ dims: [2, 0] }, { dims: [2, 3] }], attributes: { axis: 1 } },
  {
    name: '21 inputs',
    inputs: Array.from({ length: 21 }, (_, i) => ({ dims: [3, 1 + (i % 3)] })),
    attributes: { axis: 1 },
  },
  { name: '21 inputs in quads', inputs: Array.from({ length: 21 }, () => ({ dims: [3, 4] })), attributes: { axis: 1 } },
  {
    name: 'float16',
    inputs: [
      { dtype: 'float16', dims: [2, 3] },
      { dtype: 'float16', dims: [2, 2] },
    ],
    attributes: { axis: 1 },
  },
  {
    name: 'int64',
    inputs: [
      { dtype: 'int64', dims: [3] },
      { dtype: 'int64', dims: [2] },
    ],
    attributes: { axis: 0 },
  },
  {
    name: 'uint8',
    inputs: [
      { dtype: 'uint8', dims: [3, 5] },
      { dtype: 'uint8', dims: [3, 2] },
    ],
    attributes: { axis: 1 },
  },
  {
    name: 'bool, more than are bound at once',
    inputs: Array.from({ length: 12 }, () => ({ dtype: 'bool' as const, dims: [3], range: [0, 1] as const })),
    attributes: { axis: 0 },
  },
];
