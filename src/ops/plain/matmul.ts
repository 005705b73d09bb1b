// MatMul.plain: compiles in little time and runs in much. See shaders/plain-matmul.wgsl.

import text from '../../../shaders/plain-matmul.wgsl?raw';
import { ceilDiv } from '../../base/shape';
import { batchSize } from '../matmul/problem';
import { canRun, epilogueAxis, loads, type MatMulKernel, problemOf, resultBytes } from '../matmul/product';
import { mostWorkgroups } from '../wgsl/dispatch';
import { elemAliases } from '../wgsl/elements';
import { epilogueBeforeRelu } from '../wgsl/epilogue';

const workgroup = 64;

export const plainMatmul: MatMulKernel = {
  name: 'plain',
  plain: true,
  epilogueAxis,
  when(n) {
    if (!canRun(n)) return false;
    const p = problemOf(n);
    return p.batch.length <= 1 && Math.max(batchSize(p), p.m, ceilDiv(p.n, workgroup)) <= mostWorkgroups;
  },
  cost(n) {
    const p = problemOf(n);
    // Invocations stand still four at a time.
    const results = batchSize(p) * p.m * 4 * ceilDiv(p.n, 4);
    return {
      flops: results * p.k * (p.k % 4 === 0 ? 8 : 30),
      emulated: results * p.k * (p.k % 4 === 0 ? 16 : 80),
      traffic: loads(n, results, p.k, 0.5) + resultBytes(n, p),
      workgroups: batchSize(p) * p.m * ceilDiv(p.n, workgroup),
    };
  },
  dispatches(n) {
    const p = problemOf(n);
    const tail = epilogueBeforeRelu(n, n.output(0).dims.length - 1, 'step', 4);
    const [aRow, aK] = p.a.transposed ? [1, p.m] : [p.k, 1];
    const [bColumn, bK] = p.b.transposed ? [p.k, 1] : [1, p.n];
    return [
      {
        label: 'MatMul.plain',
        wgsl: elemAliases(n.input(0).dtype) + tail.text + text,
        constants: { WORKGROUP: workgroup, UNROLLED: Number(p.k % 4 === 0) },
        bindings: {
          ...{ a: { input: p.a.input }, b: { input: p.b.input }, result: { output: 0 } },
          ...tail.bindings,
        },
        uniforms: {
          ...{ m: p.m, n: p.n, k: p.k, alpha: n.attributes.alpha },
          rectified: tail.rectified,
          ...{ aRow, aK, aBatch: p.a.steps[0] ?? 0, bColumn, bK, bBatch: p.b.steps[0] ?? 0 },
        },
        workgroups: [ceilDiv(p.n, workgroup), p.m, batchSize(p)],
      },
    ];
  },
};
