// Random numbers for training, from a seed that each step has another of. lepton.SeededDropout (tensor, seed): elements set
// to zero, a `ratio` of them, and the others scaled up so that the mean stays; its gradient is the same operator again,
// which draws the same mask, so that none is kept. lepton.SeededRandom (seed): numbers uniform in [0, 1), or normal of mean
// 0 and variance 1.
// Equal seeds give equal numbers, on the GPU as on the host (normal ones nearly): a number is a hash (pcg4d) of the seed, of
// `salt`, which tells the draws of one model apart, and of the number of its quad. https://jcgt.org/published/0009/03/02/

import { byteSize, deviceType, isFloat } from '../../base/dtype';
import { type NDArray, ndarray } from '../../base/ndarray';
import { ceilDiv, sizeOf } from '../../base/shape';
import { float, int, required } from '../../ir/attributes';
import type { NodeView } from '../../ir/node-view';
import { defineOp, type OpCase } from '../../ir/opdef';
import { oneEach } from '../wgsl/dispatch';

const workgroupSize = 64;

/** Four numbers in [0, 1), of 24 bits each: as many as a float tells apart below 1. */
function uniforms(seed: number, salt: number, quad: number): number[] {
  let [x, y, z, w] = [quad, salt, seed, 0x9e3779b9].map((key) => (Math.imul(key, 1664525) + 1013904223) | 0) as [
    number,
    number,
    number,
    number,
  ];
  for (let round = 0; round < 2; round++) {
    x = (x + Math.imul(y, w)) | 0;
    y = (y + Math.imul(z, x)) | 0;
    z = (z + Math.imul(x, y)) | 0;
    w = (w + Math.imul(y, z)) | 0;
    [x, y, z, w] = [x ^ (x >>> 16), y ^ (y >>> 16), z ^ (z >>> 16), w ^ (w >>> 16)];
  }
  return [x, y, z, w].map((word) => (word >>> 8) * 2 ** -24);
}

const drawText = `
@compute @workgroup_size(${workgroupSize})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) count: vec3u) {
  let quad = id.y * count.x * ${workgroupSize}u + id.x;
  if (quad < params.quads) { result[quad] = draw(quad); }
}

// 24 bits each: as many as a float tells apart below 1.
fn uniforms(quad: u32) -> vec4f {
  var v = vec4u(quad, params.salt, seed[0], 0x9e3779b9u) * 1664525u + 1013904223u;
  for (var round = 0; round < 2; round++) {
    v.x += v.y * v.w;
    v.y += v.z * v.x;
    v.z += v.x * v.y;
    v.w += v.y * v.z;
    v ^= v >> vec4u(16u);
  }
  return vec4f(v >> vec4u(8u)) * 0x1p-24f;
}
`;

function checkSeed(n: NodeView, i: number): void {
  const { dtype, dims } = n.input(i);
  if ((dtype !== 'int32' && dtype !== 'uint32') || sizeOf(dims) !== 1) n.fail('needs a seed of int32[1] or uint32[1]');
}

const dropout = defineOp({
  name: 'lepton.SeededDropout',
  attributes: { ratio: float(0.5), salt: int(0) },
  infer(n) {
    const { dtype, dims } = n.input(0);
    if (!isFloat(dtype)) n.fail('needs floats');
    checkSeed(n, 1);
    return [{ dtype, dims }];
  },
  reference(n, [x, seed]) {
    const { data, dims, dtype } = x as NDArray;
    const { ratio, salt } = n.attributes;
    const out = ndarray(dtype, dims);
    for (let quad = 0; 4 * quad < data.length; quad++) {
      uniforms(seed?.data[0] as number, salt, quad).forEach((u, lane) => {
        const i = 4 * quad + lane;
        if (i < data.length && u >= Math.fround(ratio)) out.data[i] = (data[i] as number) / (1 - ratio);
      });
    }
    return [out];
  },
  grad: (n, b, [gradient]) => [
    gradient === undefined
      ? undefined
      : b.add(n.node.op, [gradient, n.node.inputs[1] as string], { ...n.attributes })[0],
  ],
  kernels: [
    {
      name: 'hash',
      cost(n) {
        const { dtype, dims } = n.input(0);
        const quads = ceilDiv(sizeOf(dims), 4);
        return {
          flops: 50 * quads,
          traffic: 8 * byteSize(deviceType(dtype)) * quads,
          workgroups: ceilDiv(quads, workgroupSize),
        };
      },
      dispatches(n) {
        const { dtype, dims } = n.input(0);
        const { ratio, salt } = n.attributes;
        const quads = ceilDiv(sizeOf(dims), 4);
        const half = deviceType(dtype) === 'float16';
        return [
          {
            label: 'SeededDropout.drop',
            wgsl: `${half ? 'enable f16;\n' : ''}alias quadType = ${half ? 'vec4h' : 'vec4f'};
struct Params { quads: u32, salt: u32, ratio: f32, scale: f32 }
@group(0) @binding(0) var<storage, read> source: array<quadType>;
@group(0) @binding(1) var<storage, read> seed: array<u32>;
@group(0) @binding(2) var<storage, read_write> result: array<quadType>;
@group(0) @binding(3) var<uniform> params: Params;
fn draw(quad: u32) -> quadType {
  let kept = uniforms(quad) >= vec4f(params.ratio);
  return quadType(select(vec4f(), vec4f(source[quad]) * params.scale, kept));
}
${drawText}`,
            bindings: { source: { input: 0 }, seed: { input: 1 }, result: { output: 0 } },
            // All are dropped where the ratio is 1: no number is as large.
            uniforms: { quads, salt, ratio, scale: ratio === 1 ? 0 : 1 / (1 - ratio) },
            workgroups: oneEach(quads, workgroupSize),
          },
        ];
      },
    },
  ],
});

const random = defineOp({
  name: 'lepton.SeededRandom',
  attributes: { shape: required('ints'), salt: int(0), normal: int(0) },
  infer(n) {
    checkSeed(n, 0);
    return [{ dtype: 'float32', dims: n.attributes.shape }];
  },
  reference(n, [seed]) {
    const { shape, salt, normal } = n.attributes;
    const out = ndarray('float32', shape);
    for (let quad = 0; 4 * quad < out.data.length; quad++) {
      const [a = 0, b = 0, c = 0, d = 0] = uniforms(seed?.data[0] as number, salt, quad);
      const [r, s] = [a, b].map((u) => Math.sqrt(-2 * Math.log(u + 2 ** -25))) as [number, number];
      const [p, q] = [c, d].map((u) => 2 * Math.PI * u) as [number, number];
      const drawn = normal ? [r * Math.cos(p), s * Math.cos(q), r * Math.sin(p), s * Math.sin(q)] : [a, b, c, d];
      drawn.slice(0, out.data.length - 4 * quad).forEach((value, lane) => {
        out.data[4 * quad + lane] = value;
      });
    }
    return [out];
  },
  kernels: [
    {
      name: 'hash',
      cost(n) {
        const quads = ceilDiv(sizeOf(n.attributes.shape), 4);
        return { flops: 100 * quads, traffic: 16 * quads, workgroups: ceilDiv(quads, workgroupSize) };
      },
      dispatches(n) {
        const { shape, salt, normal } = n.attributes;
        const quads = ceilDiv(sizeOf(shape), 4);
        return [
          {
            label: 'SeededRandom.draw',
            wgsl: `struct Params { quads: u32, salt: u32 }
@group(0) @binding(0) var<storage, read> seed: array<u32>;
@group(0) @binding(1) var<storage, read_write> result: array<vec4f>;
@group(0) @binding(2) var<uniform> params: Params;
fn draw(quad: u32) -> vec4f {
  let drawn = uniforms(quad);
  ${
    normal
      ? `// Box and Muller: two numbers give two. The logarithm's is above 0.
  let radius = sqrt(-2.0 * log(drawn.xy + vec2f(0x1p-25f)));
  let angle = 6.2831855 * drawn.zw;
  return vec4f(radius * cos(angle), radius * sin(angle));`
      : 'return drawn;'
  }
}
${drawText}`,
            bindings: { seed: { input: 0 }, result: { output: 0 } },
            uniforms: { quads, salt },
            workgroups: oneEach(quads, workgroupSize),
          },
        ];
      },
    },
  ],
});

export default [dropout, random];

const seed = { dims: [1], dtype: 'int32', values: [12345] } as const;
export const cases: Record<string, OpCase[]> = {
  'lepton.SeededDropout': [
    { name: 'a quarter', inputs: [{ dims: [3, 43] }, seed], attributes: { ratio: 0.25, salt: 7 } },
    { name: 'uint32 seed', inputs: [{ dims: [1031] }, { ...seed, dtype: 'uint32' }] },
    { name: 'nothing kept', inputs: [{ dims: [7] }, seed], attributes: { ratio: 1 } },
    { name: 'float16', inputs: [{ dims: [133], dtype: 'float16' }, seed], attributes: { salt: 1 }, tolerance: 2e-3 },
  ],
  'lepton.SeededRandom': [
    { name: 'uniform', inputs: [seed], attributes: { shape: [3, 43], salt: 1 } },
    { name: 'one number', inputs: [{ ...seed, values: [-1] }], attributes: { shape: [], salt: 2 } },
    // WGSL's sine and cosine are right to 2^-11.
    { name: 'normal', inputs: [seed], attributes: { shape: [1031], normal: 1 }, tolerance: 3e-3 },
  ],
};
