// What the matmul variants share: how the result is cut into tiles, the dispatch of a product, and counts
// for the cost estimate.

import { byteSize, deviceType, isFloat } from '../../base/dtype';
import { ceilDiv } from '../../base/shape';
import type { Dispatch, Kernel, Operand } from '../../ir/kernel';
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

interface Variant {
  readonly label: string;
  /** What must come before everything else. */
  readonly enable?: string;
  readonly text: string;
  readonly constants: Readonly<Record<string, number>>;
  readonly tail: Tail;
}

/** A product whose shader follows matmul-operands.wgsl: the operands are read as they lie. */
export function productDispatch(n: MatMulNode, p: Problem, grid: Grid, variant: Variant): Dispatch {
  return shapedDispatch(n, p, grid, {
    ...variant,
    text: `${variant.enable ?? ''}${operandsText(n.input(0).dtype, p)}\n${variant.tail.text}\n${variant.text}`,
    constants: {
      ...variant.constants,
      A_TRANSPOSED: Number(p.a.transposed),
      B_TRANSPOSED: Number(p.b.transposed),
      K_RAGGED: Number(p.k % 4 !== 0),
    },
    operands: { a: { input: p.a.input }, b: { input: p.b.input } },
  });
}

/** A product whose shader is complete and has the Params of matmul-params.wgsl. */
export function shapedDispatch(
  n: MatMulNode,
  p: Problem,
  grid: Grid,
  variant: Variant & { readonly operands: Readonly<Record<'a' | 'b', Operand>> },
): Dispatch {
  const workgroups = workgroupsOf(p, grid);
  const padded = (values: readonly number[], fill: number) => [...new Array(4 - values.length).fill(fill), ...values];
  return {
    label: variant.label,
    wgsl: variant.text,
    constants: { ...variant.constants, BATCHED: Number(p.batch.length > 0) },
    bindings: { ...variant.operands, ...variant.tail.bindings },
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

/**
 * What a loop costs a software adapter beyond its products: it copies and masks every sum once a round, which is
 * worth this many operations for sixteen sums.
 */
export const sumsFlops = 100;

/** Operations that finding one line of an operand is worth on a software adapter: products, the nearer edge. */
export const placeFlops = 150;
