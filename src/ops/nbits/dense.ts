// Products with quantised weights by the kernels of dense ones: the weights become floats once, at load. That takes their
// full memory, and pays where there are so many rows that taking weights apart in every tile costs more than it saves.

import denseText from '../../../shaders/nbits-dense.wgsl?raw';
import { byteSize, deviceType } from '../../base/dtype';
import { ceilDiv } from '../../base/shape';
import type { Dispatch, Operand } from '../../ir/kernel';
import { NodeView } from '../../ir/node-view';
import type { MatMulNode } from '../matmul/problem';
import type { MatMulKernel } from '../matmul/product';
import { quad } from '../matmul/quad';
import { register } from '../matmul/register';
import { tiled } from '../matmul/tiled';
import { oneEach } from '../wgsl/dispatch';
import { chunkSize, type NBitsNode, type NBitsProblem, nbitsProblem } from './problem';
import { epilogueAxis, type NBitsKernel } from './product';
import { chunksText } from './text';

const workgroup = 64;
/** Kernels bind at least one vector of four. */
const denseBytes = (p: NBitsProblem) => Math.max(16, p.n * p.k * byteSize(deviceType(p.dtype)));

const views = new WeakMap<NBitsNode, MatMulNode>();

/** The node as a product by weights [n, k] of floats, with the pattern of those that are mostly zeros. */
export function denseView(n: NBitsNode): MatMulNode {
  let view = views.get(n);
  if (!view) {
    const { dtype, n: columns, k } = nbitsProblem(n);
    const { pattern } = n.input(1);
    const weights = { dtype, dims: [columns, k], isConstant: true, ...(pattern && { pattern }) };
    view = new NodeView(
      n.node,
      { transA: 0, transB: 1, alpha: 1 },
      [n.input(0), weights],
      n.outputs,
      n.operands,
      n.steps,
    );
    views.set(n, view);
  }
  return view;
}

function dequantised(p: NBitsProblem, dense: Operand): Dispatch {
  const { text, bindings } = chunksText(p);
  const chunks = ceilDiv(p.k, chunkSize);
  return {
    label: 'MatMulNBits.dequantise',
    wgsl: text + denseText,
    constants: { WORKGROUP: workgroup },
    bindings: { ...bindings, dense },
    uniforms: {
      ...{ m: p.m, n: p.n, k: p.k, chunks, blocks: p.blocks, zeroBytes: p.zeroBytes },
      ...{ chunksPerBlock: p.blockSize / chunkSize, steps: 0, stepsPerBlock: 0, columnTiles: 0, workgroups: 0 },
    },
    workgroups: oneEach(p.n * chunks, workgroup),
    once: true,
  };
}

/** A variant of products of floats after dequantisation, for products of so many rows or more. */
export function afterwards(kernel: MatMulKernel, prefix: string, leastRows: number): NBitsKernel {
  return {
    name: `${prefix}-${kernel.name}`,
    ...(kernel.sparse && { sparse: true }),
    ...(kernel.space && { space: kernel.space }),
    epilogueAxis,
    when(n, adapter) {
      const p = nbitsProblem(n);
      const most = Math.min(adapter.limits.maxBufferSize, adapter.limits.maxStorageBufferBindingSize);
      const constant = [1, 2, 3].every((i) => !n.has(i) || n.input(i).isConstant);
      if (!constant || p.m < leastRows || p.k === 0 || denseBytes(p) > most) return false;
      return kernel.when?.(denseView(n), adapter) ?? true;
    },
    legal: (n, t, adapter) => kernel.legal?.(denseView(n), t, adapter) ?? true,
    cost: (n, t) => kernel.cost(denseView(n), t),
    dispatches(n, t, adapter) {
      const p = nbitsProblem(n);
      const dense: Operand = { scratch: 'dense', bytes: denseBytes(p) };
      const placed = (d: Dispatch): Dispatch => ({
        ...d,
        bindings: Object.fromEntries(
          Object.entries(d.bindings).map(([name, o]) => [name, 'input' in o && o.input === 1 ? dense : o]),
        ),
      });
      return [dequantised(p, dense), ...kernel.dispatches(denseView(n), t, adapter).map(placed)];
    },
  };
}

export const denseKernels: readonly NBitsKernel[] = [tiled, register, quad].map((kernel) =>
  afterwards(kernel, 'dense', 2),
);
