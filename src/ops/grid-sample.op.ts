// GridSample: the input sampled wherever a grid says, each place given in [-1, 1] across the input. One
// generated kernel for any number of spatial axes; every sample is mixed from 1, 2 or 4 taps an axis.

import { isFloat } from '../base/dtype';
import { ndarray } from '../base/ndarray';
import { ceilDiv, forEachIndex, formatDims, sizeOf } from '../base/shape';
import type { Dispatch } from '../ir/kernel';
import { defineOp, type OpCase } from '../ir/opdef';
import { gridSampleGrad } from './grid-sample-gradient';
import {
  cubicA,
  farthest,
  gridSampleAttributes,
  type Mode,
  optionsOf,
  type Padding,
  reach,
  roundHalfEven,
  tapPlace,
  tapWeight,
  type View,
} from './grid-sample-taps';
import { oneEach } from './wgsl/dispatch';
import { elementAt, elementHelpers, packQuad, quadType, wordsPerQuad, wordType } from './wgsl/elements';

const workgroupSize = 64;
const placeCode: Record<Padding, (aligned: boolean) => string> = {
  zeros: () => 'return select(-1, i, i >= 0 && i < size);',
  border: () => 'return clamp(i, 0, size - 1);',
  reflection: (aligned) => `let period = max(1, 2 * ${aligned ? '(size - 1)' : 'size'});
  let at = (i % period + period) % period;
  return select(period - at${aligned ? '' : ' - 1'}, at, at < size);`,
};

const weightCode: Record<Mode, string> = {
  nearest: 'return 1.0;',
  linear: 'return 1.0 - x;',
  cubic: `if (x <= 1.0) { return (${cubicA + 2} * x - ${cubicA + 3}) * x * x + 1.0; }
  return ${cubicA} * (((x - 5.0) * x + 8.0) * x - 4.0);`,
};

function dispatch(n: View): Dispatch {
  const { mode, padding, aligned } = optionsOf(n);
  const { dtype, dims } = n.output(0);
  const grid = n.input(1);
  const rank = dims.length - 2;
  const [taps, first] = reach[mode];
  const axes = Array.from({ length: rank }, (_, d) => d);
  const setup = axes.map((d) => {
    const rounded = mode === 'nearest' ? 'round' : 'floor';
    const component = elementAt(grid.dtype, 'grid', `spot + ${rank - 1 - d}u`);
    return `let x${d} = coordinate(${component}, params.sizes[${d}]);
  let s${d} = i32(${rounded}(x${d})) + ${first};`;
  });
  // From the innermost loop outwards.
  const loops = axes.reduceRight(
    (body, d) => {
      const [at, w] = d === 0 ? ['image', '1.0'] : [`at${d - 1}`, `w${d - 1}`];
      return `for (var t${d} = 0; t${d} < ${taps}; t${d}++) {
    let p${d} = place(s${d} + t${d}, i32(params.sizes[${d}]));
    if (p${d} < 0) { continue; }
    let at${d} = ${at} * params.sizes[${d}] + u32(p${d});
    let w${d} = ${w} * weight(abs(f32(s${d} + t${d}) - x${d}));
    ${body}
  }`;
    },
    `sum += w${rank - 1} * ${elementAt(dtype, 'source', `at${rank - 1}`)};`,
  );
  const wgsl = `${elementHelpers}
struct Params { quads: u32, channels: u32, spots: u32, sizes: vec4u }
@group(0) @binding(0) var<storage, read> source: array<${wordType(dtype)}>;
@group(0) @binding(1) var<storage, read> grid: array<${wordType(grid.dtype)}>;
@group(0) @binding(2) var<storage, read_write> result: array<${quadType(dtype)}>;
@group(0) @binding(3) var<uniform> params: Params;
fn coordinate(g: f32, size: u32) -> f32 {
  let x = ${aligned ? '(g + 1.0) * 0.5 * (f32(size) - 1.0)' : '((g + 1.0) * f32(size) - 1.0) * 0.5'};
  return clamp(x, -${farthest}.0, ${farthest}.0);
}
fn place(i: i32, size: i32) -> i32 {
  ${placeCode[padding](aligned)}
}
fn weight(x: f32) -> f32 {
  ${weightCode[mode]}
}
fn sampled(index: u32) -> f32 {
  let image = index / params.spots;
  let spot = (image / params.channels * params.spots + index % params.spots) * ${rank}u;
  ${setup.join('\n  ')}
  var sum = 0.0;
  ${loops}
  return sum;
}
@compute @workgroup_size(${workgroupSize})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) count: vec3u) {
  let quad = id.y * count.x * ${workgroupSize}u + id.x;
  if (quad >= params.quads) { return; }
  var value: vec4f;
  for (var k = 0u; k < 4u; k++) { value[k] = sampled(quad * 4u + k); }
  result[quad] = ${packQuad(dtype, 'value')};
}
`;
  const quads = ceilDiv(sizeOf(dims), 4);
  return {
    label: `GridSample.${mode}`,
    wgsl,
    bindings: { source: { input: 0 }, grid: { input: 1 }, result: { output: 0 } },
    uniforms: { quads, channels: dims[1] as number, spots: sizeOf(dims.slice(2)), sizes: n.input(0).dims.slice(2) },
    workgroups: oneEach(quads, workgroupSize),
  };
}

export default defineOp({
  name: 'GridSample',
  attributes: gridSampleAttributes,
  infer(n) {
    optionsOf(n);
    const [x, grid] = [n.input(0), n.input(1)];
    const rank = x.dims.length - 2;
    if (grid.dims.length !== x.dims.length || grid.dims.at(-1) !== rank || grid.dims[0] !== x.dims[0]) {
      n.fail(`has a grid ${formatDims(grid.dims)} for the input ${formatDims(x.dims)}`);
    }
    if (!isFloat(x.dtype)) n.fail(`samples ${x.dtype}; Lepton samples floats`, 'UNSUPPORTED_MODEL');
    if (rank < 1 || rank > 4) n.fail(`has ${rank} spatial axes; Lepton takes 1 to 4`, 'UNSUPPORTED_MODEL');
    return [{ dtype: x.dtype, dims: [...x.dims.slice(0, 2), ...grid.dims.slice(1, -1)] }];
  },
  reference(n, [x, grid]) {
    const [source, places] = [x ?? n.fail('lacks its input'), grid ?? n.fail('lacks its grid')];
    const { mode, padding, aligned } = optionsOf(n);
    const sizes = source.dims.slice(2);
    const out = ndarray(source.dtype, [...source.dims.slice(0, 2), ...places.dims.slice(1, -1)]);
    const spots = sizeOf(out.dims.slice(2));
    const [taps, first] = reach[mode];
    forEachIndex(out.dims, (at, flat) => {
      const spot = ((at[0] as number) * spots + (flat % spots)) * sizes.length;
      const sum = (d: number, from: number): number => {
        const size = sizes[d];
        if (size === undefined) return source.data[from] as number;
        const g = places.data[spot + sizes.length - 1 - d] as number;
        const exact = aligned ? ((g + 1) / 2) * (size - 1) : ((g + 1) * size - 1) / 2;
        const coordinate = Math.min(Math.max(exact, -farthest), farthest);
        const start = (mode === 'nearest' ? roundHalfEven(coordinate) : Math.floor(coordinate)) + first;
        let total = 0;
        for (let i = start; i < start + taps; i++) {
          const place = tapPlace(i, size, padding, aligned);
          if (place >= 0) total += tapWeight(Math.abs(i - coordinate), mode) * sum(d + 1, from * size + place);
        }
        return total;
      };
      out.data[flat] = sum(0, Math.floor(flat / spots));
    });
    return [out];
  },
  grad: gridSampleGrad,
  kernels: [
    {
      name: 'generated',
      cost(n) {
        const { dtype, dims } = n.output(0);
        const taps = reach[optionsOf(n).mode][0] ** (dims.length - 2);
        const elements = sizeOf(dims);
        const bytes = wordsPerQuad(dtype);
        return {
          flops: elements * taps * 12,
          traffic: elements * (bytes * (1 + taps) + 4 * (dims.length - 2)),
          workgroups: ceilDiv(elements, 4 * workgroupSize),
        };
      },
      dispatches: (n) => [dispatch(n)],
    },
  ],
});

const inputs = [{ dims: [2, 3, 4, 5] }, { dims: [2, 3, 7, 2], range: [-1.3, 1.3] as const }];

export const cases: OpCase[] = [
  { name: 'linear, zeros', inputs },
  { name: 'linear, reflection, aligned', inputs, attributes: { padding_mode: 'reflection', align_corners: 1 } },
  { name: 'nearest, border', inputs, attributes: { mode: 'nearest', padding_mode: 'border' } },
  { name: 'cubic, border', inputs, attributes: { mode: 'cubic', padding_mode: 'border' }, tolerance: 1e-4 },
  { name: 'cubic, reflection', inputs, attributes: { mode: 'cubic', padding_mode: 'reflection' }, tolerance: 1e-4 },
  {
    name: 'volumes, float16',
    inputs: [
      { dtype: 'float16', dims: [1, 2, 3, 4, 3] },
      { dims: [1, 2, 2, 5, 3], range: [-1.1, 1.1] },
    ],
    tolerance: 4e-3,
  },
];
