// A tensor read with other sizes, strides and start: the one kernel behind Transpose, Slice, Split, Expand,
// Tile and their kin. The output is dense and written in quads; every invocation owns one. Elements move as
// bits, so any type of the same width shares a pipeline.

import { byteSize, type DType, deviceType } from '../../base/dtype';
import { type NDArray, ndarray } from '../../base/ndarray';
import { ceilDiv, type Dims, forEachIndex, sizeOf } from '../../base/shape';
import type { Cost, Dispatch, Kernel, Operand } from '../../ir/kernel';
import type { NodeView } from '../../ir/node-view';
import { collapse } from './collapse';
import { oneEach } from './dispatch';
import {
  eachLane,
  elementAt,
  elementHelpers,
  packQuad,
  quadType,
  unpackQuad,
  wordsPerQuad,
  wordType,
} from './elements';
import { epilogue } from './epilogue';

/** Where each element of the output lies in the input. */
export interface Walk {
  /** Of the output. */
  readonly dims: Dims;
  /** Of the input, in elements, one for each of `dims`; 0 repeats, negative runs backwards. */
  readonly strides: readonly number[];
  /** Element of the input at the output's origin. */
  readonly offset: number;
}

const workgroupSize = 64;

/** The unsigned integer type as wide as `dtype` is on the device: copying needs no more. */
export function bitsType(dtype: DType): 'uint8' | 'uint16' | 'uint32' {
  const bytes = byteSize(deviceType(dtype));
  return bytes === 4 ? 'uint32' : bytes === 2 ? 'uint16' : 'uint8';
}

/** How the four lanes of a quad lie in the input. */
type Lanes = 'quad' | 'same' | 'fixed' | 'wrapped' | 'apart';

interface Plan {
  readonly dims: readonly number[];
  readonly strides: readonly number[];
  readonly lanes: Lanes;
  /** Of 'fixed': distances of the lanes from lane 0. */
  readonly steps: readonly number[];
}

function planOf(walk: Walk): Plan {
  const collapsed = collapse(walk.dims, [walk.strides]);
  const dims = collapsed.dims.length > 0 ? collapsed.dims : [1];
  const strides = collapsed.dims.length > 0 ? (collapsed.strides[0] as number[]) : [0];
  const size = dims.at(-1) as number;
  const stride = strides.at(-1) as number;
  const plan = (lanes: Lanes, steps: readonly number[] = [0, 0, 0, 0]): Plan => ({ dims, strides, lanes, steps });
  if (dims.length === 1 && stride === 0) return plan('same');
  const aligned = walk.offset % 4 === 0 && strides.slice(0, -1).every((s) => s % 4 === 0);
  if (stride === 1 && aligned && (dims.length === 1 || size % 4 === 0)) return plan('quad');
  if (size % 4 === 0) {
    return stride === 0 ? plan('same') : plan('fixed', [0, stride, 2 * stride, 3 * stride]);
  }
  const outer = strides.at(-2);
  // What a last quad reads past the end of the output is garbage like its lanes there.
  if (size === 2 && outer !== undefined && (dims.length === 2 || (dims.at(-2) as number) % 2 === 0)) {
    return plan('fixed', [0, stride, outer, outer + stride]);
  }
  return plan(size > 2 ? 'wrapped' : 'apart');
}

/** WGSL for the dot product of an output position with strides; `dims` and the strides are uniform fields. */
export function positionCode(name: string, rank: number, strides: string, offset: string): string {
  const lines = Array.from({ length: rank }, (_, k) => {
    const d = rank - 1 - k;
    const [size, stride] = [`params.dims[${d >> 2}u][${d & 3}u]`, `params.${strides}[${d >> 2}u][${d & 3}u]`];
    return d === 0 ? `  at += rest * ${stride};` : `  at += (rest % ${size}) * ${stride}; rest /= ${size};`;
  });
  return `fn ${name}(index: u32) -> u32 {
  var rest = index;
  var at = ${offset};
${lines.join('\n')}
  return at;
}`;
}

/** @param tail the node, where its fused program is to run on the elements on their way */
export function stridedCopy(
  label: string,
  dtype: DType,
  walk: Walk,
  source: Operand,
  result: Operand,
  tail?: NodeView,
): Dispatch {
  const { dims, strides, lanes, steps } = planOf(walk);
  const type = tail ? dtype : bitsType(dtype);
  const stored = tail ? tail.output(0).dtype : type;
  const vectors = ceilDiv(dims.length, 4);
  const last = dims.length - 1;
  const lastOf = (field: string) => `params.${field}[${last >> 2}u][${last & 3}u]`;
  const element = (at: string) => elementAt(type, 'source', at);
  const apart = `vec4(${['x', 'y', 'z', 'w'].map((c) => element(`lanes.${c}`)).join(', ')})`;
  const raw = 'source[source_index(quad * 4u) >> 2u]';
  const load = {
    quad: unpackQuad(type, raw),
    same: `vec4(${element('source_index(quad * 4u)')})`,
    fixed: `vec4(${[0, 1, 2, 3].map((k) => element(`at + params.lanes[${k}]`)).join(', ')})`,
    wrapped: apart,
    apart,
  }[lanes];
  const prepare = {
    quad: '',
    same: '',
    fixed: 'let at = source_index(quad * 4u);',
    // Lanes go on along the last dimension, or from the start of it again, which they reach once at most.
    wrapped: `let size = ${lastOf('dims')};
  let step = ${lastOf('strides')};
  let left = size - quad * 4u % size;
  let here = vec4u(source_index(quad * 4u)) + vec4u(0u, 1u, 2u, 3u) * step;
  let next = vec4u(source_index(quad * 4u + left)) + (vec4u(0u, 1u, 2u, 3u) - left) * step;
  let lanes = select(next, here, vec4u(0u, 1u, 2u, 3u) < vec4u(left));`,
    apart: eachLane('source_index(quad * 4u + k)'),
  }[lanes];
  // No channel axis: lanes may lie in different ones.
  const end = tail && epilogue(tail, -1, 'same', 3);
  const value = end
    ? packQuad(stored, `epilogue(${load}, quad * 4u, 0u)`)
    : lanes === 'quad'
      ? raw
      : packQuad(type, load);
  const wgsl = `${end ? end.text : elementHelpers}
struct Params { quads: u32, offset: u32, lanes: vec4u, dims: array<vec4u, ${vectors}>, strides: array<vec4u, ${vectors}> }
@group(0) @binding(0) var<storage, read> source: array<${lanes === 'quad' ? quadType(type) : wordType(type)}>;
@group(0) @binding(1) var<storage, read_write> result: array<${quadType(stored)}>;
@group(0) @binding(2) var<uniform> params: Params;
${positionCode('source_index', dims.length, 'strides', 'params.offset')}
@compute @workgroup_size(${workgroupSize})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) count: vec3u) {
  let quad = id.y * count.x * ${workgroupSize}u + id.x;
  if (quad >= params.quads) { return; }
  ${prepare}
  result[quad] = ${value};
}
`;
  const quads = ceilDiv(sizeOf(walk.dims), 4);
  return {
    label,
    wgsl,
    bindings: { source, result, ...end?.bindings },
    uniforms: { quads, offset: walk.offset, lanes: steps, dims, strides },
    workgroups: oneEach(quads, workgroupSize),
  };
}

export function stridedCost(dtype: DType, walk: Walk): Cost {
  const { dims, strides, lanes } = planOf(walk);
  const quads = ceilDiv(sizeOf(walk.dims), 4);
  const bytes = 4 * wordsPerQuad(bitsType(dtype));
  // Lanes that lie apart fetch a cache sector each, of which on average half goes unused.
  const scattered = Math.abs(strides.at(-1) as number) > 1 ? 2 : 1;
  const loaded = lanes === 'quad' ? bytes : lanes === 'same' ? 4 : 16 * scattered;
  return {
    flops: quads * 3 * dims.length * (lanes === 'apart' ? 4 : lanes === 'wrapped' ? 2 : 1),
    traffic: quads * (bytes + loaded),
    workgroups: ceilDiv(quads, workgroupSize),
  };
}

/** Whether the output is a piece of the input as it lies in memory. */
function isStretch({ dims, strides }: Walk): boolean {
  const collapsed = collapse(dims, [strides]);
  return collapsed.dims.length === 0 || (collapsed.dims.length === 1 && collapsed.strides[0]?.[0] === 1);
}

/**
 * The kernel of an operator whose every output is a walk over input 0.
 * @param walkOf the walk of output `i`
 */
export function stridedKernel<A>(
  walkOf: (n: NodeView<A>, i: number) => Walk,
  when?: (n: NodeView<A>) => boolean,
): Kernel<A> {
  const walks = (n: NodeView<A>) =>
    n.outputs.flatMap((output, i) => (n.wants(i) && sizeOf(output.dims) > 0 ? [{ i, walk: walkOf(n, i) }] : []));
  return {
    name: 'strided',
    ...(when && { when }),
    epilogueAxis: () => -1,
    cost(n) {
      const costs = walks(n).map(({ walk }) => stridedCost(n.input(0).dtype, walk));
      return {
        flops: costs.reduce((sum, c) => sum + c.flops, 0),
        traffic: costs.reduce((sum, c) => sum + c.traffic, 0),
        workgroups: costs.reduce((sum, c) => sum + c.workgroups, 0),
        dispatches: costs.length,
      };
    },
    stretches(n) {
      const starts = new Array<number | undefined>(n.outputs.length).fill(undefined);
      for (const { i, walk } of walks(n)) starts[i] = walk.offset;
      return walks(n).every(({ walk }) => isStretch(walk)) ? { of: 'input', starts } : undefined;
    },
    dispatches: (n) =>
      walks(n).map(({ i, walk }) =>
        stridedCopy(
          `${n.node.op}.strided`,
          n.input(0).dtype,
          walk,
          { input: 0 },
          { output: i },
          n.program ? n : undefined,
        ),
      ),
  };
}

/** The walk on the host. */
export function walkCopy(source: NDArray, walk: Walk): NDArray {
  const out = ndarray(source.dtype, walk.dims);
  forEachIndex(walk.dims, (at, flat) => {
    let from = walk.offset;
    for (let d = 0; d < at.length; d++) from += (at[d] as number) * (walk.strides[d] as number);
    out.data[flat] = source.data[from] as number;
  });
  return out;
}
