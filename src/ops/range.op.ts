// Range: start, start + delta, … below (or above) limit. All three must be known before the run, since they
// decide the size.

import { isFloat } from '../base/dtype';
import { ndarray } from '../base/ndarray';
import { ceilDiv, sizeOf } from '../base/shape';
import type { NodeView } from '../ir/node-view';
import { defineOp, type OpCase } from '../ir/opdef';
import { oneEach } from './wgsl/dispatch';
import { computeScalar, elementHelpers, packQuad, quadType, wordsPerQuad } from './wgsl/elements';

const workgroupSize = 64;

function terms(n: NodeView): { start: number; delta: number; count: number } {
  const [start, limit, delta] = [0, 1, 2].map((i) => n.numbers(i)?.[0] ?? n.fail(`lacks its input ${i}`)) as [
    number,
    number,
    number,
  ];
  if (delta === 0) n.fail('has the step 0');
  return { start, delta, count: Math.max(0, Math.ceil((limit - start) / delta)) };
}

export default defineOp({
  name: 'Range',
  attributes: {},
  infer: (n) => [{ dtype: n.input(0).dtype, dims: [terms(n).count] }],
  reference(n) {
    const { start, delta, count } = terms(n);
    return [
      ndarray(
        n.input(0).dtype,
        [count],
        Array.from({ length: count }, (_, i) => start + i * delta),
      ),
    ];
  },
  kernels: [
    {
      name: 'generated',
      cost(n) {
        const quads = ceilDiv(sizeOf(n.output(0).dims), 4);
        return {
          flops: 8 * quads,
          traffic: 4 * quads * wordsPerQuad(n.output(0).dtype),
          workgroups: ceilDiv(quads, workgroupSize),
        };
      },
      dispatches(n) {
        const { dtype, dims } = n.output(0);
        const quads = ceilDiv(sizeOf(dims), 4);
        const scalar = isFloat(dtype) ? 'f32' : 'i32';
        const { start, delta } = terms(n);
        const wgsl = `${elementHelpers}
struct Params { quads: u32, start: ${scalar}, delta: ${scalar} }
@group(0) @binding(0) var<storage, read_write> result: array<${quadType(dtype)}>;
@group(0) @binding(1) var<uniform> params: Params;
@compute @workgroup_size(${workgroupSize})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) count: vec3u) {
  let quad = id.y * count.x * ${workgroupSize}u + id.x;
  if (quad >= params.quads) { return; }
  let terms = vec4(params.start) + vec4<${scalar}>(vec4u(quad * 4u) + vec4u(0u, 1u, 2u, 3u)) * params.delta;
  result[quad] = ${packQuad(dtype, `vec4<${computeScalar(dtype)}>(terms)`)};
}
`;
        return [
          {
            label: 'Range.generated',
            wgsl,
            bindings: { result: { output: 0 } },
            uniforms: { quads, start, delta },
            workgroups: oneEach(quads, workgroupSize),
          },
        ];
      },
    },
  ],
});

function rangeCase(name: string, dtype: 'float32' | 'int32' | 'int64' | 'int16', values: number[]): OpCase {
  return { name, inputs: values.map((v) => ({ dtype, dims: [], values: [v], constant: true })) };
}

export const cases: OpCase[] = [
  rangeCase('float32', 'float32', [1, 5.1, 0.5]),
  rangeCase('downwards', 'int32', [10, -7, -3]),
  rangeCase('int64', 'int64', [-3, 126, 1]),
  rangeCase('int16', 'int16', [0, -9, -2]),
  // More elements than are folded on the host, so that the kernel runs.
  rangeCase('large float32', 'float32', [-5, 17_001, 0.25]),
  rangeCase('large int64', 'int64', [9, -140_001, -2]),
];
