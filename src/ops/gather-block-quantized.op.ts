// com.microsoft.GatherBlockQuantized: slices of quantised data, picked by index and dequantised. Inputs: data
// (int4, uint4, 8-bit floats, or uint8 that packs numbers of 2 to 8 bits along the last axis), indices, scales for
// blocks along one axis, optional zero points of the data's type. Indices out of range give zeros.
// https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.GatherBlockQuantized

import { isSmallFloat } from '../base/dtype';
import { int64s, type NDArray, ndarray } from '../base/ndarray';
import { broadcastDims, broadcastStrides, ceilDiv, formatDims, sameDims, sizeOf } from '../base/shape';
import { int } from '../ir/attributes';
import type { Dispatch } from '../ir/kernel';
import type { NodeView } from '../ir/node-view';
import { defineOp, type OpCase } from '../ir/opdef';
import { axisOf } from './axes';
import { bitsAt } from './nbits/reference';
import { oneEach } from './wgsl/dispatch';
import { elementAt, elementHelpers, packQuad, quadType, wordType } from './wgsl/elements';
import { walkCopy } from './wgsl/strided-copy';

type View = NodeView<{ bits: number; block_size: number; gather_axis: number; quantize_axis: number }>;

/** Sizes around both axes, in numbers: `dims` of the data counts what uint8 packs. */
function layoutOf(n: View) {
  const stored = n.input(0);
  const { bits } = n.attributes;
  const packed = stored.dtype === 'uint8';
  if (packed && ![2, 4, 8].includes(bits)) n.fail(`has numbers of ${bits} bits; expected 2, 4 or 8`);
  const last = stored.dims.length - 1;
  const dims = stored.dims.map((d, i) => (packed && i === last ? (d * 8) / bits : d));
  const gatherAxis = axisOf(n, n.attributes.gather_axis, dims.length);
  const axis = axisOf(n, n.attributes.quantize_axis, dims.length);
  const length = dims[axis] as number;
  const block = n.attributes.block_size || length;
  if (block < 0) n.fail(`has the block_size ${block}`);
  const scaleDims = dims.map((d, i) => (i === axis ? ceilDiv(d, block) : d));
  const own = n.input(2).dims;
  const common = own.length === dims.length ? broadcastDims(own, scaleDims) : undefined;
  if (!common || !sameDims(common, scaleDims))
    n.fail(`has scales ${formatDims(own)}; blocks of ${block} need ${formatDims(scaleDims)}`);
  return {
    packed,
    scaleDims,
    dims: [...dims.slice(0, gatherAxis), ...n.input(1).dims, ...dims.slice(gatherAxis + 1)],
    size: dims[gatherAxis] as number,
    inner: sizeOf(dims.slice(gatherAxis + 1)),
    count: sizeOf(n.input(1).dims),
    length,
    block,
    blocks: scaleDims[axis] as number,
    quantizeInner: sizeOf(dims.slice(axis + 1)),
    scaleRow: scaleDims[last] as number,
    /** Numbers for which a row of packed zero points has room. */
    zeroRow: packed && n.has(3) ? ((n.input(3).dims[last] as number) * 8) / bits : (scaleDims[last] as number),
  };
}

function defaultZero(n: View): number {
  return n.input(0).dtype === 'uint8' ? 2 ** (n.attributes.bits - 1) : 0;
}

function dispatch(n: View): Dispatch {
  const { dims, packed, scaleDims: _, ...sizes } = layoutOf(n);
  const { bits } = n.attributes;
  const { dtype } = n.input(0);
  const scaleType = n.input(2).dtype;
  const quads = ceilDiv(sizeOf(dims), 4);
  const numberAt = (name: string, index: string) =>
    packed
      ? `extractBits(${name}[(${index}) * ${bits}u / 32u], (${index}) * ${bits}u % 32u, ${bits}u)`
      : elementAt(dtype, name, index);
  const zero = n.has(3)
    ? numberAt('zeros', 'scale / params.scaleRow * params.zeroRow + scale % params.scaleRow')
    : `${defaultZero(n)}`;
  const wgsl = `${elementHelpers}
struct Params {
  quads: u32, size: u32, inner: u32, count: u32,
  length: u32, block: u32, blocks: u32, quantizeInner: u32, scaleRow: u32, zeroRow: u32,
}
@group(0) @binding(0) var<storage, read> source: array<${wordType(dtype)}>;
@group(0) @binding(1) var<storage, read> indices: array<i32>;
@group(0) @binding(2) var<storage, read> scales: array<${wordType(scaleType)}>;
@group(0) @binding(3) var<uniform> params: Params;
@group(0) @binding(4) var<storage, read_write> result: array<${quadType(n.output(0).dtype)}>;
${n.has(3) ? `@group(0) @binding(5) var<storage, read> zeros: array<${wordType(dtype)}>;` : ''}
fn numberFor(index: u32) -> f32 {
  let slice = index / params.inner;
  let pick = indices[slice % params.count];
  let place = select(pick, pick + i32(params.size), pick < 0);
  if (place < 0 || place >= i32(params.size)) { return 0.0; }
  let at = (slice / params.count * params.size + u32(place)) * params.inner + index % params.inner;
  let line = at / params.quantizeInner;
  let block = line / params.length * params.blocks + line % params.length / params.block;
  let scale = block * params.quantizeInner + at % params.quantizeInner;
  return (f32(${numberAt('source', 'at')}) - f32(${zero})) * ${elementAt(scaleType, 'scales', 'scale')};
}
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) count: vec3u) {
  let quad = id.y * count.x * 64u + id.x;
  if (quad >= params.quads) { return; }
  var v: vec4f;
  for (var k = 0u; k < 4u; k++) { v[k] = numberFor(quad * 4u + k); }
  result[quad] = ${packQuad(n.output(0).dtype, 'v')};
}
`;
  return {
    label: 'GatherBlockQuantized.lookup',
    wgsl,
    bindings: {
      source: { input: 0 },
      indices: { input: 1 },
      scales: { input: 2 },
      ...(n.has(3) && { zeros: { input: 3 } }),
      result: { output: 0 },
    },
    uniforms: { quads, ...sizes },
    workgroups: oneEach(quads, 64),
  };
}

export default defineOp({
  name: 'com.microsoft.GatherBlockQuantized',
  attributes: { bits: int(4), block_size: int(128), gather_axis: int(0), quantize_axis: int(1) },
  infer(n) {
    const { dtype } = n.input(0);
    if (!['uint8', 'int4', 'uint4'].includes(dtype) && !isSmallFloat(dtype))
      n.fail(`has data of type ${dtype}; expected uint8, int4, uint4 or floats of 4 or 8 bits`);
    const indices = n.input(1).dtype;
    if (indices !== 'int32' && indices !== 'int64') n.fail(`has indices of type ${indices}; expected int32 or int64`);
    if (n.has(3) && n.input(3).dtype !== dtype) n.fail(`has zero points of type ${n.input(3).dtype} for ${dtype}`);
    return [{ dtype: n.input(2).dtype, dims: layoutOf(n).dims }];
  },
  reference(n, inputs) {
    const [data, indices, given, zeros] = inputs as [NDArray, NDArray, NDArray, NDArray?];
    const p = layoutOf(n);
    const spread = { dims: p.scaleDims, strides: broadcastStrides(given.dims, p.scaleDims), offset: 0 };
    const scales = walkCopy(given, spread).data;
    const numberAt = ({ data: from }: NDArray, i: number) =>
      p.packed ? bitsAt(from, i, n.attributes.bits) : (from[i] as number);
    const out = ndarray(given.dtype, p.dims);
    for (let i = 0; i < out.data.length; i++) {
      const slice = Math.floor(i / p.inner);
      const pick = indices.data[slice % p.count] as number;
      const place = pick < 0 ? pick + p.size : pick;
      if (place < 0 || place >= p.size) continue;
      const at = (Math.floor(slice / p.count) * p.size + place) * p.inner + (i % p.inner);
      const line = Math.floor(at / p.quantizeInner);
      const block = Math.floor(line / p.length) * p.blocks + Math.floor((line % p.length) / p.block);
      const scale = block * p.quantizeInner + (at % p.quantizeInner);
      const zeroAt = Math.floor(scale / p.scaleRow) * p.zeroRow + (scale % p.scaleRow);
      const zero = zeros ? numberAt(zeros, zeroAt) : defaultZero(n);
      out.data[i] = (numberAt(data, at) - zero) * (scales[scale] as number);
    }
    return [out];
  },
  lower(n, b) {
    const { scaleDims } = layoutOf(n);
    if (sameDims(n.input(2).dims, scaleDims)) return undefined;
    const [data, indices, scales] = n.node.inputs as [string, string, string];
    const [expanded] = b.add('Expand', [scales, b.constant(int64s(scaleDims))]) as [string];
    return b.add(n.node.op, [data, indices, expanded], { ...n.node.attributes });
  },
  kernels: [
    {
      name: 'lookup',
      cost(n) {
        const elements = sizeOf(n.output(0).dims);
        return { flops: elements * 40, traffic: elements * 20, workgroups: ceilDiv(elements, 256) };
      },
      dispatches: (n) => [dispatch(n)],
    },
  ],
});

const picks = (...values: number[]) => ({ dtype: 'int64', dims: [values.length], values }) as const;
const bytes = (...dims: number[]) => ({ dtype: 'uint8', dims, range: [0, 255], constant: true }) as const;
const scales = (...dims: number[]) => ({ dims, range: [0.1, 0.3] }) as const;

export const cases: OpCase[] = [
  {
    name: 'rows of packed numbers, zero points',
    inputs: [bytes(9, 24), picks(3, 0, -1, 8), scales(9, 3), bytes(9, 2)],
    attributes: { block_size: 16 },
  },
  { name: '8 bits', inputs: [bytes(5, 33), picks(4, 1), scales(5, 3)], attributes: { bits: 8, block_size: 16 } },
  { name: '2 bits', inputs: [bytes(5, 8), picks(4, 1), scales(5, 2)], attributes: { bits: 2, block_size: 16 } },
  {
    name: 'int4 along another axis',
    inputs: [
      { dtype: 'int4', dims: [3, 20, 5], range: [-8, 7] },
      { ...picks(4, 0, 1, 2), dtype: 'int32', dims: [2, 2] },
      scales(3, 2, 5),
      { dtype: 'int4', dims: [3, 2, 5], range: [-8, 7] },
    ],
    attributes: { block_size: 16, gather_axis: 2 },
  },
  {
    name: 'uint4, gathered where quantised, float16',
    inputs: [{ dtype: 'uint4', dims: [3, 20], range: [0, 15] }, picks(17, 3, 3), { ...scales(3, 2), dtype: 'float16' }],
    attributes: { block_size: 16, gather_axis: 1 },
    tolerance: 2e-3,
  },
  {
    name: 'float8, one scale, an index out of range',
    inputs: [{ dtype: 'float8e4m3fn', dims: [4, 16], range: [-3, 3] }, picks(2, 9), scales(1, 1)],
    attributes: { block_size: 0 },
  },
];
