// lepton.Pointwise: a program of element-wise operators as one generated kernel. Fusion makes these
// nodes, also for a single element-wise operator, so this is the only kernel such operators have.
//
// Every invocation owns one quad of the output, or one in each of several rows where operands broadcast
// along them (wgsl/broadcast.ts).

import { broadcastDims, ceilDiv, sizeOf } from '../base/shape';
import type { Dispatch } from '../ir/kernel';
import type { NodeView } from '../ir/node-view';
import { defineOp } from '../ir/opdef';
import { type Broadcast, broadcast, coordinatesCode } from './wgsl/broadcast';
import { oneEach } from './wgsl/dispatch';
import { elementHelpers, packQuad, quadType } from './wgsl/elements';
import { programCode } from './wgsl/program';

const workgroupSize = 64;
/** What a software adapter takes to start an invocation, in operations. */
const invocationStart = 100;

/** Invocations of a row, and rows. */
function extent({ layout, dims }: Broadcast): { inner: number; rows: number } {
  const quads = ceilDiv(sizeOf(dims), 4);
  if (layout !== 'rows') return { inner: quads, rows: 1 };
  const rows = dims[0] as number;
  return { inner: quads / rows, rows };
}

export default defineOp({
  name: 'lepton.Pointwise',
  attributes: {},
  infer(n) {
    const dims = broadcastDims(...n.operands.map((o) => o.dims)) ?? n.fail('has operands that do not broadcast');
    return [{ dtype: n.program?.steps.at(-1)?.dtype ?? 'float32', dims }];
  },
  reference(n) {
    return n.fail('exists on the GPU only');
  },
  kernels: [
    {
      name: 'generated',
      space: { rows: [1, 4, 16] },
      legal: (n, t) => t.rows === 1 || extent(broadcast(n.output(0).dims, n.operands)).rows >= (t.rows as number),
      cost(n, t) {
        const elements = sizeOf(n.output(0).dims);
        const plan = broadcast(n.output(0).dims, n.operands);
        const { inner, rows } = extent(plan);
        const invocations = inner * ceilDiv(rows, t.rows as number);
        const loads = plan.operands.map((o) => o.bytes * (o.repeats ? invocations : inner * rows));
        return {
          flops: elements * (n.program?.steps.length ?? 1),
          traffic: 4 * elements + loads.reduce((sum, bytes) => sum + bytes, 0),
          emulated: invocations * invocationStart,
          workgroups: ceilDiv(invocations, workgroupSize),
        };
      },
      dispatches: (n, t) => [dispatch(n, t.rows as number)],
    },
  ],
});

function dispatch(n: NodeView, rowsEach: number): Dispatch {
  const output = n.output(0);
  const plan = broadcast(output.dims, n.operands);
  const { layout, dims, operands } = plan;
  const { inner, rows } = extent(plan);
  const vectors = ceilDiv(dims.length, 4);
  const invocations = inner * ceilDiv(rows, rowsEach);
  const code = programCode(n, undefined);
  const strides = operands.flatMap((o, i) => (o.strided ? [`strides${i}: array<vec4u, ${vectors}>,`] : []));
  const bindings = operands.map((o, i) => `@group(0) @binding(${i}) var<storage, read> a${i}: array<${o.arrayType}>;`);
  const count = operands.length;
  const wgsl = `${elementHelpers}
struct Params { invocations: u32, inner: u32, rows: u32, rows_each: u32, dims: array<vec4u, ${vectors}>, ${strides.join(' ')} }
${bindings.join('\n')}
@group(0) @binding(${count}) var<storage, read_write> result: array<${quadType(output.dtype)}>;
@group(0) @binding(${count + 1}) var<uniform> params: Params;
${code.text}
${layout === 'flat' ? '' : coordinatesCode(dims.length, layout === 'rows' ? 1 : 0)}
@compute @workgroup_size(${workgroupSize})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) count: vec3u) {
  let item = id.y * count.x * ${workgroupSize}u + id.x;
  if (item >= params.invocations) { return; }
  ${body(plan, packQuad(output.dtype, 'value'))}
}
`;
  return {
    label: `Pointwise.${n.program?.steps.map((s) => s.op).join('+')}`,
    wgsl,
    bindings: {
      ...Object.fromEntries(operands.map((_, i) => [`a${i}`, { operand: i }])),
      result: { output: 0 },
    },
    uniforms: {
      invocations,
      inner,
      rows,
      rows_each: rowsEach,
      dims,
      ...Object.fromEntries(operands.flatMap((o, i) => (o.strided ? [[`strides${i}`, plan.strides[i] ?? []]] : []))),
    },
    workgroups: oneEach(invocations, workgroupSize),
  };
}

/** What an invocation does with its `item`. */
function body({ layout, operands }: Broadcast, packed: string): string {
  if (layout !== 'rows') {
    const lanes = layout === 'apart' ? [0, 1, 2, 3] : [];
    return `let quad = item;
  ${lanes.map((lane) => `let at${lane} = coordinates(quad * 4u + ${lane}u);`).join('\n  ')}
  let value = program(${operands.map((o) => o.load).join(', ')});
  result[quad] = ${packed};`;
  }
  const before = operands.flatMap((o, i) => (o.repeats ? [`let o${i} = ${o.load};`] : []));
  return `let place = item % params.inner;
  let at0 = coordinates(place * 4u);
  var row = item / params.inner * params.rows_each;
  let end = min(row + params.rows_each, params.rows);
  ${before.join('\n  ')}
  for (; row < end; row++) {
    let quad = row * params.inner + place;
    let value = program(${operands.map((o, i) => (o.repeats ? `o${i}` : o.load)).join(', ')});
    result[quad] = ${packed};
  }`;
}
