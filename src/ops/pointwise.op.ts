// lepton.Pointwise: a program of element-wise operators as one generated kernel. Fusion makes these
// nodes, also for a single element-wise operator, so this is the only kernel such operators have.
//
// Every invocation owns one quad of the output. How operands are read depends on how they broadcast:
// the shape is first collapsed to as few dimensions as all operands allow.

import { broadcastDims, broadcastStrides, ceilDiv, type Dims, sizeOf } from '../base/shape';
import type { Dispatch } from '../ir/kernel';
import type { NodeView, TensorType } from '../ir/node-view';
import { defineOp } from '../ir/opdef';
import { collapse } from './wgsl/collapse';
import { oneEach } from './wgsl/dispatch';
import { elementAt, elementHelpers, packQuad, quadType, unpackQuad, wordType } from './wgsl/elements';
import { programCode } from './wgsl/program';

const workgroupSize = 64;

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
      cost(n) {
        const elements = sizeOf(n.output(0).dims);
        return {
          flops: elements * (n.program?.steps.length ?? 1),
          traffic: 4 * (elements * (1 + n.operands.length)),
          workgroups: ceilDiv(elements, 4 * workgroupSize),
        };
      },
      dispatches: (n) => [dispatch(n)],
    },
  ],
});

function dispatch(n: NodeView): Dispatch {
  const output = n.output(0);
  const quads = ceilDiv(sizeOf(output.dims), 4);
  const { dims, strides } = collapse(
    output.dims,
    n.operands.map((o) => broadcastStrides(o.dims, output.dims)),
  );
  // Where rows are whole quads, the four lanes of a quad lie in one row: one offset serves them all.
  const rowsOfQuads = (dims.at(-1) ?? 1) % 4 === 0;
  const operands = n.operands.map((o, i) =>
    operandCode(o, output.dims, strides[i] as number[], `a${i}`, dims.length, i, rowsOfQuads),
  );
  const code = programCode(n, undefined);
  const rank = dims.length;
  const vectors = Math.max(1, ceilDiv(rank, 4));
  const needsCoordinates = operands.some((o) => o.strided);
  const strideFields = operands.flatMap((o, i) => (o.strided ? [`strides${i}: array<vec4u, ${vectors}>,`] : []));
  const bindings = operands.map((o, i) => `@group(0) @binding(${i}) var<storage, read> a${i}: array<${o.arrayType}>;`);
  const count = operands.length;
  const wgsl = `${elementHelpers}
struct Params { quads: u32, dims: array<vec4u, ${vectors}>, ${strideFields.join(' ')} }
${bindings.join('\n')}
@group(0) @binding(${count}) var<storage, read_write> result: array<${quadType(output.dtype)}>;
@group(0) @binding(${count + 1}) var<uniform> params: Params;
${code.text}
${needsCoordinates ? coordinatesCode(rank) : ''}
@compute @workgroup_size(${workgroupSize})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) count: vec3u) {
  let quad = id.y * count.x * ${workgroupSize}u + id.x;
  if (quad >= params.quads) { return; }
  ${needsCoordinates ? laneCode(rowsOfQuads) : ''}
  let value = program(${operands.map((o) => o.load).join(', ')});
  result[quad] = ${packQuad(output.dtype, 'value')};
}
`;
  const uniforms: Record<string, number | number[]> = { quads, dims: dims.length ? dims : [1] };
  operands.forEach((o, i) => {
    if (o.strided) uniforms[`strides${i}`] = strides[i] as number[];
  });
  return {
    label: `Pointwise.${n.program?.steps.map((s) => s.op).join('+')}`,
    wgsl,
    bindings: {
      ...Object.fromEntries(operands.map((_, i) => [`a${i}`, { operand: i }])),
      result: { output: 0 },
    },
    uniforms,
    workgroups: oneEach(quads, workgroupSize),
  };
}

interface OperandCode {
  readonly arrayType: string;
  readonly load: string;
  readonly strided: boolean;
}

function operandCode(
  operand: TensorType,
  outputDims: Dims,
  strides: readonly number[],
  name: string,
  rank: number,
  index: number,
  rowsOfQuads: boolean,
): OperandCode {
  const { dtype } = operand;
  const size = sizeOf(operand.dims);
  if (size === sizeOf(outputDims)) {
    return { arrayType: quadType(dtype), load: unpackQuad(dtype, `${name}[quad]`), strided: false };
  }
  if (size === 1) return { arrayType: wordType(dtype), load: `vec4(${elementAt(dtype, name, '0u')})`, strided: false };
  const offset = (lane: string) =>
    `(${Array.from({ length: rank }, (_, d) => `at${lane}[${d}] * params.strides${index}[${d >> 2}][${d & 3}]`).join(' + ')})`;
  if (rowsOfQuads && strides.at(-1) === 1) {
    return { arrayType: quadType(dtype), load: unpackQuad(dtype, `${name}[${offset('0')} >> 2u]`), strided: true };
  }
  const lanes = rowsOfQuads
    ? `vec4(${elementAt(dtype, name, offset('0'))})`
    : `vec4(${['0', '1', '2', '3'].map((lane) => elementAt(dtype, name, offset(lane))).join(', ')})`;
  return { arrayType: wordType(dtype), load: lanes, strided: true };
}

function coordinatesCode(rank: number): string {
  const steps = Array.from({ length: rank }, (_, k) => {
    const d = rank - 1 - k;
    return d === 0
      ? '  at[0] = rest;'
      : `  at[${d}] = rest % params.dims[${d >> 2}][${d & 3}]; rest /= params.dims[${d >> 2}][${d & 3}];`;
  });
  return `fn coordinates(index: u32) -> array<u32, ${rank}> {
  var at: array<u32, ${rank}>;
  var rest = index;
${steps.join('\n')}
  return at;
}`;
}

function laneCode(rowsOfQuads: boolean): string {
  const lanes = rowsOfQuads ? ['0'] : ['0', '1', '2', '3'];
  return lanes.map((lane) => `let at${lane} = coordinates(quad * 4u + ${lane}u);`).join('\n  ');
}
