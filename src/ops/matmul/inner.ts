// Products by inner products, k split over neighbours that add their sums through subgroups: see
// shaders/matmul-inner.wgsl. The choice for few rows and few columns, and of GPUs for a vector times weights along k.

import innerText from '../../../shaders/matmul-inner.wgsl?raw';
import { ceilDiv } from '../../base/shape';
import type { Tunables } from '../../ir/kernel';
import type { Problem } from './problem';
import {
  canRun,
  epilogueAxis,
  type Grid,
  kQuads,
  loads,
  type MatMulKernel,
  placeFlops,
  problemOf,
  productDispatch,
  resultBytes,
  sumsFlops,
  workgroupsOf,
} from './product';
import { storeText } from './text';

/** Invocations of a subgroup of the software adapter. */
const softwareLanes = 4;
/** Columns up to which neighbours along k read neighbouring memory whichever way B lies. */
const fewColumns = 16;

const rowsOf = (p: Problem) => (p.m === 1 ? 1 : 4);
const gridOf = (p: Problem): Grid => ({ rowTiles: ceilDiv(p.m, rowsOf(p)), columnTiles: ceilDiv(p.n, 4), splits: 1 });

export const inner: MatMulKernel = {
  name: 'inner',
  space: { lanes: [32, 64, softwareLanes] },
  epilogueAxis,
  when: (n, adapter) => adapter.features.includes('subgroups') && canRun(n),
  legal(n, { lanes = 32 }: Tunables, adapter) {
    const { b } = problemOf(n);
    // The software adapter takes long to compile workgroup memory, see tiled.ts.
    if (adapter.software) return lanes <= 32;
    return lanes >= 32 && (b.transposed || problemOf(n).n <= fewColumns);
  },
  cost(n, { lanes = 32 }) {
    const p = problemOf(n);
    const rows = rowsOf(p);
    const workgroups = workgroupsOf(p, gridOf(p));
    const invocations = workgroups * lanes;
    const steps = ceilDiv(kQuads(p, 1), lanes);
    return {
      flops: invocations * (steps * 32 * rows + 4 * rows * Math.log2(lanes)),
      emulated: invocations * (steps * ((sumsFlops * rows) / 4 + (4 + rows) * placeFlops) + 60 * rows),
      traffic: loads(n, invocations, steps, 4 + rows) + resultBytes(n, p),
      // Subgroups of GPUs mostly have as many invocations.
      cleared: lanes > softwareLanes ? invocations * lanes * rows * 16 : 0,
      workgroups,
    };
  },
  dispatches(n, { lanes = 32 }) {
    const p = problemOf(n);
    return [
      productDispatch(n, p, gridOf(p), {
        label: 'MatMul.inner',
        enable: 'enable subgroups;\n',
        text: innerText,
        constants: { LANES: lanes, ROWS: rowsOf(p), SUMS: lanes * rowsOf(p) },
        tail: storeText(n, p),
      }),
    ];
  },
};
