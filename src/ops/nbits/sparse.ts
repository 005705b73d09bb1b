// Products with quantised weights that are mostly zeros. What is left of int8 with a scale a row stays int8 and becomes floats in
// registers; or weights become floats once, at load, which serves kernels of blocks that read them many times, and other
// integers. Which of those, or of dense ones, is a matter of cost.

import { NodeView } from '../../ir/node-view';
import type { MatMulNode } from '../matmul/problem';
import type { MatMulKernel } from '../matmul/product';
import { blockKernels } from '../sparse/blocks';
import { pairKernels } from '../sparse/blocks-pairs';
import { sparseWeightKernels } from '../sparse/weight-kernels';
import { isOfBytes, ofBytes } from '../sparse/weights';
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

function ofIntegers(kernel: MatMulKernel): NBitsKernel {
  return {
    name: kernel.name,
    sparse: true,
    ...(kernel.space && { space: kernel.space }),
    epilogueAxis,
    when(n, adapter) {
      const { bits, blocks, zeros } = nbitsProblem(n);
      const { isConstant, pattern } = n.input(1);
      if (!isConstant || !pattern || bits !== 8 || blocks !== 1 || zeros !== 'none') return false;
      return isOfBytes(bytesView(n)) && (kernel.when?.(bytesView(n), adapter) ?? true);
    },
    legal: (n, t, adapter) => kernel.legal?.(bytesView(n), t, adapter) ?? true,
    cost: (n, t) => kernel.cost(bytesView(n), t),
    dispatches: (n, t, adapter) => kernel.dispatches(bytesView(n), t, adapter),
  };
}

export const sparseKernels: readonly NBitsKernel[] = [
  ...[...sparseWeightKernels, ...blockKernels, ...pairKernels].map(ofIntegers),
  ...[...blockKernels, ...pairKernels].map((kernel) => afterwards(kernel, 'float', 1)),
];
