// What a matrix product comes down to, whatever the ranks of its operands: one batch of [m, k] by [k, n],
// with the operands' steps along the batch. Invariant: the result, read in order, is [batch…, m, n].

import { broadcastDims, broadcastStrides, type Dims, sizeOf } from '../../base/shape';
import type { NodeView } from '../../ir/node-view';

export interface MatMulAttributes {
  readonly transA: number;
  readonly transB: number;
  readonly alpha: number;
}
export type MatMulNode = NodeView<MatMulAttributes>;

/** A matrix operand: which input of the node it is, and how it lies in memory. */
export interface Side {
  readonly input: number;
  /** A lies as [k, m], B as [n, k]. */
  readonly transposed: boolean;
  /** Elements from one matrix to the next along each dimension of `batch`; 0 where broadcast. */
  readonly steps: Dims;
}

export interface Problem {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly batch: Dims;
  readonly a: Side;
  readonly b: Side;
}

/** Batch dimensions that a kernel can walk, after neighbours that both operands walk alike are merged. */
const mostBatchDims = 4;

/** Type rule of numpy's matmul with optionally transposed operands, and the product as it stands. */
export function productOf(n: MatMulNode): { dims: number[]; problem: Problem } {
  const [a, b] = [n.input(0), n.input(1)];
  if (a.dtype !== b.dtype) n.fail(`multiplies ${a.dtype} by ${b.dtype}; both must have one type`);
  if (a.dims.length === 0 || b.dims.length === 0) n.fail('has a scalar operand; use Mul');
  const transposed = [n.attributes.transA !== 0, n.attributes.transB !== 0] as const;
  if ((transposed[0] && a.dims.length < 2) || (transposed[1] && b.dims.length < 2))
    n.fail('transposes an operand of one dimension');
  const [rows, inner] = matrixOf(a.dims.length === 1 ? [1, ...a.dims] : a.dims, transposed[0]);
  const [k, columns] = matrixOf(b.dims.length === 1 ? [...b.dims, 1] : b.dims, transposed[1]);
  if (inner !== k) n.fail(`multiplies matrices whose inner sizes differ: ${inner} and ${k}`);
  const [aBatch, bBatch] = [a.dims.slice(0, -2), b.dims.slice(0, -2)];
  const batch = broadcastDims(aBatch, bBatch) ?? n.fail('has batch dimensions that do not broadcast');
  const dims = [...batch, ...(a.dims.length > 1 ? [rows] : []), ...(b.dims.length > 1 ? [columns] : [])];
  const steps = (own: Dims, matrix: number) => broadcastStrides(own, batch).map((s) => s * matrix);
  return {
    dims,
    problem: {
      m: rows,
      n: columns,
      k,
      batch,
      a: { input: 0, transposed: transposed[0], steps: steps(aBatch, rows * k) },
      b: { input: 1, transposed: transposed[1], steps: steps(bBatch, k * columns) },
    },
  };
}

function matrixOf(dims: Dims, transposed: boolean): [number, number] {
  const [first, second] = dims.slice(-2) as [number, number];
  return transposed ? [second, first] : [first, second];
}

const problems = new WeakMap<MatMulNode, Problem | 'beyond'>();

/**
 * The same product in the form that runs best: a batch that shares one B becomes more rows, and a matrix
 * times a column becomes a row times a matrix. Undefined where the batch is beyond what kernels walk.
 */
export function kernelProblem(n: MatMulNode): Problem | undefined {
  let problem = problems.get(n);
  if (!problem) {
    problem = readProblem(n) ?? 'beyond';
    problems.set(n, problem);
  }
  return problem === 'beyond' ? undefined : problem;
}

function readProblem(n: MatMulNode): Problem | undefined {
  const { problem } = productOf(n);
  const merged = mergeBatch(problem);
  // With a vector B the result's last axis is m, which an epilogue must still find as columns.
  const folded = n.input(1).dims.length > 1 ? foldRows(merged) : merged;
  const turned = folded.n === 1 ? turn(folded) : folded;
  if (turned.batch.length > mostBatchDims) return undefined;
  // A single row or column lies in memory the same way either way round.
  return turned.m === 1 ? { ...turned, a: { ...turned.a, transposed: false } } : turned;
}

function mergeBatch(p: Problem): Problem {
  const batch: number[] = [];
  const a: number[] = [];
  const b: number[] = [];
  p.batch.forEach((size, d) => {
    if (size === 1) return;
    const [aStep, bStep] = [p.a.steps[d] as number, p.b.steps[d] as number];
    const last = batch.length - 1;
    if (last >= 0 && a[last] === aStep * size && b[last] === bStep * size) {
      batch[last] = (batch[last] as number) * size;
      a[last] = aStep;
      b[last] = bStep;
    } else {
      batch.push(size);
      a.push(aStep);
      b.push(bStep);
    }
  });
  return { ...p, batch, a: { ...p.a, steps: a }, b: { ...p.b, steps: b } };
}

function foldRows(p: Problem): Problem {
  const last = p.batch.length - 1;
  const foldable =
    last >= 0 && p.b.steps[last] === 0 && p.a.steps[last] === p.m * p.k && (!p.a.transposed || p.m === 1);
  if (!foldable) return p;
  return {
    ...p,
    m: p.m * (p.batch[last] as number),
    batch: p.batch.slice(0, -1),
    a: { ...p.a, transposed: false, steps: p.a.steps.slice(0, -1) },
    b: { ...p.b, steps: p.b.steps.slice(0, -1) },
  };
}

/** (A · B)ᵀ = Bᵀ · Aᵀ; with one column the result lies in memory as before. */
function turn(p: Problem): Problem {
  return {
    ...p,
    m: p.n,
    n: p.m,
    a: { ...p.b, transposed: !p.b.transposed },
    b: { ...p.a, transposed: !p.a.transposed },
  };
}

export function batchSize(p: Problem): number {
  return sizeOf(p.batch);
}
