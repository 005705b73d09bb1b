// What the matmul variants share: how the result is cut into tiles, the dispatch of a product, and counts
// for the cost estimate.

import { byteSize, deviceType, isFloat } from '../../base/dtype';
import { ceilDiv } from '../../base/shape';
import type { Dispatch, Kernel } from '../../ir/kernel';
import { foldWorkgroups } from '../wgsl/dispatch';
import { batchSize, kernelProblem, type MatMulAttributes, type MatMulNode, type Problem } from './problem';
import { operandsText, type Tail } from './text';

export type MatMulKernel = Kernel<MatMulAttributes>;

/** How a variant cuts the result into tiles, one a workgroup, and k into splits. */
export interface Grid {
  readonly rowTiles: number;
  readonly columnTiles: number;
  readonly splits: number;
}

export function problemOf(n: MatMulNode): Problem {
  return kernelProblem(n) ?? n.fail('has more batch dimensions than the kernels walk');
}

export const canRun = (n: MatMulNode) => isFloat(n.input(0).dtype) && kernelProblem(n) !== undefined;
export const epilogueAxis = (n: MatMulNode) => n.output(0).dims.length - 1;

export function workgroupsOf(p: Problem, grid: Grid): number {
  return grid.rowTiles * grid.columnTiles * grid.splits * batchSize(p);
}

export function kQuads(p: Problem, splits: number): number {
  return ceilDiv(ceilDiv(p.k, 4), splits);
}

export function productDispatch(
  n: MatMulNode,
  p: Problem,
  grid: Grid,
  variant: { label: string; text: string; constants: Record<string, number>; tail: Tail },
): Dispatch {
  const workgroups = workgroupsOf(p, grid);
  const padded = (values: readonly number[], fill: number) => [...new Array(4 - values.length).fill(fill), ...values];
  return {
    label: variant.label,
    wgsl: `${operandsText(n.input(0).dtype, p)}\n${variant.tail.text}\n${variant.text}`,
    constants: {
      ...variant.constants,
      A_TRANSPOSED: Number(p.a.transposed),
      B_TRANSPOSED: Number(p.b.transposed),
      K_RAGGED: Number(p.k % 4 !== 0),
    },
    bindings: { a: { input: p.a.input }, b: { input: p.b.input }, ...variant.tail.bindings },
    uniforms: {
      m: p.m,
      n: p.n,
      k: p.k,
      ...grid,
      splitQuads: kQuads(p, grid.splits),
      workgroups,
      alpha: n.attributes.alpha,
      batchDims: padded(p.batch, 1),
      aSteps: padded(p.a.steps, 0),
      bSteps: padded(p.b.steps, 0),
    },
    workgroups: foldWorkgroups(workgroups),
  };
}

/** Bytes of the operands' loads: each of `invocations` loads `quads` quads of them at every quad of k. */
export const loads = (n: MatMulNode, invocations: number, steps: number, quads: number) =>
  invocations * steps * quads * 4 * byteSize(deviceType(n.input(0).dtype));

export const resultBytes = (n: MatMulNode, p: Problem) =>
  byteSize(deviceType(n.input(0).dtype)) * batchSize(p) * p.m * p.n;
