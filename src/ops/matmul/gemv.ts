// A row times a matrix (or a matrix times a column): k split over the invocations of a workgroup.

import gemvText from '../../../shaders/matmul-gemv.wgsl?raw';
import { ceilDiv } from '../../base/shape';
import { batchSize, type Problem } from './problem';
import {
  canRun,
  epilogueAxis,
  loads,
  type MatMulKernel,
  problemOf,
  productDispatch,
  resultBytes,
  sumsFlops,
} from './product';
import { storeText } from './text';

interface GemvTile {
  readonly width: number;
  readonly slices: number;
  readonly columnQuads: number;
}

/** Operations that a line of B is worth on a software adapter, which checks loads one by one where it is ragged. */
const lineFlops = (p: Problem) => ((p.b.transposed ? p.k : p.n) % 4 === 0 ? 40 : 100);

export const gemv: MatMulKernel = {
  name: 'gemv',
  space: { width: [32, 8, 4, 16], slices: [4, 1, 8, 16], columnQuads: [1, 2] },
  epilogueAxis,
  when: (n) => canRun(n) && problemOf(n).m === 1,
  legal(n, t, adapter) {
    const { width, slices } = t as unknown as GemvTile;
    const lanes = width * slices;
    // A CPU takes long to compile much workgroup memory, see tiled.ts. A GPU wants many invocations, eight of
    // which or more read neighbouring words.
    if (adapter.software) return lanes <= 64;
    const neighbours = problemOf(n).b.transposed ? slices : width;
    return lanes >= 64 && neighbours >= 8 && lanes <= adapter.limits.maxComputeInvocationsPerWorkgroup;
  },
  cost(n, t) {
    const { width, slices, columnQuads } = t as unknown as GemvTile;
    const p = problemOf(n);
    const workgroups = ceilDiv(p.n, 4 * columnQuads * width) * batchSize(p);
    const invocations = workgroups * width * slices;
    const steps = ceilDiv(ceilDiv(p.k, 4), slices);
    return {
      flops: invocations * steps * 32 * columnQuads,
      emulated: invocations * steps * columnQuads * (sumsFlops / 4 + 4 * lineFlops(p)),
      traffic: loads(n, invocations, steps, 4 * columnQuads + 1) + resultBytes(n, p),
      // Written once, then read and written again by ever fewer.
      shared: invocations * columnQuads * 16 * 4,
      cleared: invocations * width * slices * columnQuads * 16,
      workgroups,
    };
  },
  dispatches(n, t) {
    const { width, slices, columnQuads } = t as unknown as GemvTile;
    const p = problemOf(n);
    const grid = { rowTiles: 1, columnTiles: ceilDiv(p.n, 4 * columnQuads * width), splits: 1 };
    return [
      productDispatch(n, p, grid, {
        label: 'MatMul.gemv',
        text: gemvText,
        constants: {
          WIDTH: width,
          SLICES: slices,
          COLUMN_QUADS: columnQuads,
          LANES: width * slices,
          SUMS: width * slices * columnQuads,
        },
        tail: storeText(n, p),
      }),
    ];
  },
};
