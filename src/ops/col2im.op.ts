// Col2Im: images put together from overlapping blocks; where blocks overlap, elements add up. Inputs: columns
// [batch, channels × block, places], image_shape, block_shape. Any number of spatial axes. The kernel gathers:
// each element of the image adds up what the blocks over it hold, so no two invocations write one element.

import { byteSize, deviceType } from '../base/dtype';
import { int64s, ndarray } from '../base/ndarray';
import { ceilDiv, forEachIndex, formatDims, sizeOf, stridesOf } from '../base/shape';
import { type AttributesOf, ints } from '../ir/attributes';
import type { Dispatch } from '../ir/kernel';
import type { NodeView } from '../ir/node-view';
import { defineOp, type OpCase } from '../ir/opdef';
import { padded, reshape } from './gradient';
import { oneEach } from './wgsl/dispatch';
import { computeScalar, computeVec, elementAt, elementHelpers, packQuad, quadType, wordType } from './wgsl/elements';
import { perAxis } from './window';

const workgroupSize = 64;

const attributes = { dilations: ints(), pads: ints(), strides: ints() };
type View = NodeView<AttributesOf<typeof attributes>>;

function layout(n: View) {
  const { dtype, dims } = n.input(0);
  if (dtype === 'bool') n.fail('adds up bool; expected numbers');
  const image = n.numbers(1) ?? n.fail('lacks its image_shape (input 1)');
  const block = n.numbers(2) ?? n.fail('lacks its block_shape (input 2)');
  const rank = image.length;
  if (rank < 1 || block.length !== rank) n.fail(`has a block of ${block.length} axes for an image of ${rank}`);
  const strides = perAxis(n, 'strides', n.attributes.strides, rank, 1);
  const dilations = perAxis(n, 'dilations', n.attributes.dilations, rank, 1);
  const pads = perAxis(n, 'pads', n.attributes.pads, 2 * rank, 0);
  const places = image.map((size, d) => {
    const reach = (dilations[d] as number) * ((block[d] as number) - 1) + 1;
    return Math.floor((size + (pads[d] as number) + (pads[d + rank] as number) - reach) / (strides[d] as number)) + 1;
  });
  const taps = sizeOf(block);
  const [batch, rows, columns] = dims;
  if (dims.length !== 3 || columns !== sizeOf(places) || (rows as number) % taps !== 0)
    n.fail(`has columns ${formatDims(dims)}; expected [batch, channels × ${taps}, ${sizeOf(places)}]`);
  const channels = (rows as number) / taps;
  return { image, block, strides, dilations, pads, places, taps, dims: [batch as number, channels, ...image] };
}

function dispatch(n: View): Dispatch {
  const { dtype, dims } = n.output(0);
  const { image, block, strides, dilations, pads, places, taps } = layout(n);
  const vectors = ceilDiv(image.length, 4);
  const scalar = computeScalar(dtype);
  const fields = ['image', 'block', 'strides', 'dilations', 'pads', 'places'];
  const at = (name: string) => `params.${name}[d >> 2u][d & 3u]`;
  const wgsl = `${elementHelpers}
struct Params { quads: u32, rank: u32, taps: u32, area: u32, columns: u32, ${fields.map((f) => `${f}: array<vec4u, ${vectors}>`).join(', ')} }
@group(0) @binding(0) var<storage, read> columns: array<${wordType(dtype)}>;
@group(0) @binding(1) var<storage, read_write> result: array<${quadType(dtype)}>;
@group(0) @binding(2) var<uniform> params: Params;
// The column in which a tap of the block lies over a place of the image; -1 where no block does.
fn column_of(place: u32, tap: u32) -> i32 {
  var rest = vec2u(place, tap);
  var column = 0u;
  var step = 1u;
  for (var k = 0u; k < params.rank; k++) {
    let d = params.rank - 1u - k;
    let sizes = vec2u(${at('image')}, ${at('block')});
    let here = rest % sizes;
    rest /= sizes;
    let from_start = i32(here.x + ${at('pads')}) - i32(here.y * ${at('dilations')});
    let block = u32(max(from_start, 0)) / ${at('strides')};
    if (from_start < 0 || u32(from_start) % ${at('strides')} != 0u || block >= ${at('places')}) { return -1; }
    column += block * step;
    step *= ${at('places')};
  }
  return i32(column);
}
fn sum_at(index: u32) -> ${scalar} {
  let place = index % params.area;
  let plane = index / params.area;
  var sum = ${scalar}();
  for (var tap = 0u; tap < params.taps; tap++) {
    let column = column_of(place, tap);
    if (column >= 0) { sum += ${elementAt(dtype, 'columns', '(plane * params.taps + tap) * params.columns + u32(column)')}; }
  }
  return sum;
}
@compute @workgroup_size(${workgroupSize})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) count: vec3u) {
  let quad = id.y * count.x * ${workgroupSize}u + id.x;
  if (quad >= params.quads) { return; }
  var value: ${computeVec(dtype)};
  for (var k = 0u; k < 4u; k++) { value[k] = sum_at(quad * 4u + k); }
  result[quad] = ${packQuad(dtype, 'value')};
}
`;
  const quads = ceilDiv(sizeOf(dims), 4);
  return {
    label: 'Col2Im.gather',
    wgsl,
    bindings: { columns: { input: 0 }, result: { output: 0 } },
    uniforms: {
      quads,
      rank: image.length,
      taps,
      area: sizeOf(image),
      columns: sizeOf(places),
      image,
      block,
      strides,
      dilations,
      pads: pads.slice(0, image.length),
      places,
    },
    workgroups: oneEach(quads, workgroupSize),
  };
}

export default defineOp({
  name: 'Col2Im',
  attributes,
  infer: (n) => [{ dtype: n.input(0).dtype, dims: layout(n).dims }],
  reference(n, [x]) {
    const source = x?.data ?? n.fail('lacks its columns');
    const { image, block, strides, dilations, pads, places, taps, dims } = layout(n);
    const out = ndarray(n.input(0).dtype, dims);
    const [area, columns] = [sizeOf(image), sizeOf(places)];
    const steps = stridesOf(image);
    for (let plane = 0; plane < sizeOf(dims.slice(0, 2)); plane++) {
      forEachIndex(block, (k, tap) => {
        forEachIndex(places, (p, column) => {
          let to = plane * area;
          for (let d = 0; d < image.length; d++) {
            const at =
              (p[d] as number) * (strides[d] as number) +
              (k[d] as number) * (dilations[d] as number) -
              (pads[d] as number);
            if (at < 0 || at >= (image[d] as number)) return;
            to += at * (steps[d] as number);
          }
          out.data[to] = (out.data[to] as number) + (source[(plane * taps + tap) * columns + column] as number);
        });
      });
    }
    return [out];
  },
  // Every block fetches what lies under it.
  grad(n, b, [gradient]) {
    if (gradient === undefined) return [];
    const { image, block, strides, dilations, pads, places, dims } = layout(n);
    const before = pads.slice(0, image.length);
    const after = pads.slice(image.length);
    const area = image.map((size, d) => size + (before[d] as number) + (after[d] as number));
    const steps = stridesOf(area);
    const under: number[] = [];
    forEachIndex([...block, ...places], (at) => {
      const [k, p] = [at.slice(0, image.length), at.slice(image.length)];
      const along = (d: number) =>
        (p[d] as number) * (strides[d] as number) + (k[d] as number) * (dilations[d] as number);
      under.push(steps.reduce((sum, step, d) => sum + step * along(d), 0));
    });
    const whole = padded(b, gradient, [0, 0, ...before], [0, 0, ...after]);
    const flat = reshape(b, whole, [...dims.slice(0, 2), sizeOf(area)]);
    return [reshape(b, b.add('Gather', [flat, b.constant(int64s(under))], { axis: 2 })[0] as string, n.input(0).dims)];
  },
  kernels: [
    {
      name: 'gather',
      cost(n) {
        const elements = sizeOf(n.output(0).dims);
        const { taps, image } = layout(n);
        return {
          flops: elements * taps * (2 + 12 * image.length),
          traffic: byteSize(deviceType(n.input(0).dtype)) * elements * (1 + taps),
          workgroups: ceilDiv(elements, 4 * workgroupSize),
        };
      },
      dispatches: (n) => [dispatch(n)],
    },
  ],
});

const shape = (...values: number[]) => ({ dtype: 'int64', dims: [values.length], values, constant: true }) as const;

export const cases: OpCase[] = [
  {
    name: 'blocks side by side',
    inputs: [{ dims: [1, 12, 6] }, shape(4, 6), shape(2, 2)],
    attributes: { strides: [2, 2] },
  },
  {
    name: 'overlapping, padded, dilated',
    inputs: [{ dims: [2, 18, 9] }, shape(5, 7), shape(3, 3)],
    attributes: { pads: [1, 0, 1, 2], dilations: [1, 2], strides: [2, 2] },
  },
  { name: 'one axis, int32', inputs: [{ dtype: 'int32', dims: [1, 6, 15] }, shape(17), shape(3)] },
  {
    name: 'three axes, float16',
    inputs: [{ dtype: 'float16', dims: [1, 16, 8] }, shape(3, 3, 3), shape(2, 2, 2)],
    tolerance: 2e-3,
  },
  { name: 'five axes', inputs: [{ dims: [1, 4, 16] }, shape(2, 2, 3, 2, 2), shape(1, 1, 2, 1, 2)] },
];
