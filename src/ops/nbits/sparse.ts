// Products with int8 weights that are mostly zeros. By kernels that read what is left of a row entry by entry, it stays int8 and
// becomes floats in registers, with the scale of a row once at its end; for kernels of blocks the weights become floats
// once, at load. Which of those, or of dense ones, is a matter of cost.

import type { Cost, Tunables } from '../../ir/kernel';
import { NodeView } from '../../ir/node-view';
import type { MatMulNode } from '../matmul/problem';
import type { MatMulKernel } from '../matmul/product';
import { blockKernels } from '../sparse/blocks';
import { pairKernels } from '../sparse/blocks-pairs';
import { sparseWeightKernels } from '../sparse/weight-kernels';
import { elementBytes, ofBytes } from '../sparse/weights';
import { afterwards, denseView } from './dense';
import { type NBitsNode, nbitsProblem } from './problem';
import { epilogueAxis, type NBitsKernel } from './product';

const views = new WeakMap<NBitsNode, MatMulNode>();

/** The node as a product by a matrix of bytes, whose rows have a scale each. */
function bytesView(n: NBitsNode): MatMulNode {
  let view = views.get(n);
  if (!view) {
    const { node, attributes, inputs, outputs, operands, steps } = denseView(n);
    view = ofBytes(new NodeView(node, attributes, [...inputs, n.input(2)], outputs, operands, steps), rowBytes(n));
    views.set(n, view);
  }
  return view;
}

const rowBytes = (n: NBitsNode) => nbitsProblem(n).blockSize;

/** Operations that opening the value of an entry is worth on a software adapter. */
const openFlops = 15;

function ofIntegers(kernel: MatMulKernel): NBitsKernel {
  return {
    name: kernel.name,
    ...(kernel.space && { space: kernel.space }),
    epilogueAxis,
    when(n, adapter) {
      const { bits, blocks, zeros } = nbitsProblem(n);
      const known = n.input(1).isConstant && n.input(1).pattern !== undefined;
      return known && bits === 8 && blocks === 1 && zeros === 'none' && (kernel.when?.(bytesView(n), adapter) ?? true);
    },
    legal: (n, t, adapter) => kernel.legal?.(bytesView(n), t, adapter) ?? true,
    cost: (n, t) => costOf(kernel, n, t),
    dispatches: (n, t, adapter) => kernel.dispatches(bytesView(n), t, adapter),
  };
}

/** The values of entries are all that a kernel loads less of: so many they are. */
function costOf(kernel: MatMulKernel, n: NBitsNode, t: Tunables): Cost {
  const cost = kernel.cost(bytesView(n), t);
  const entries = (kernel.cost(denseView(n), t).traffic - cost.traffic) / (elementBytes(denseView(n)) - 1);
  return { ...cost, emulated: (cost.emulated ?? 0) + openFlops * entries };
}

export const sparseKernels: readonly NBitsKernel[] = [
  ...sparseWeightKernels.map(ofIntegers),
  ...[...blockKernels, ...pairKernels].map((kernel) => afterwards(kernel, 'float', 1)),
];
