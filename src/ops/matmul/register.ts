// Register tiles that read storage directly: the choice of software adapters without subgroups (with them, quad.ts).

import registerText from '../../../shaders/matmul-register.wgsl?raw';
import { ceilDiv } from '../../base/shape';
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

interface RegisterTile {
  readonly rowQuads: number;
  readonly columnQuads: number;
  readonly lanes: number;
}

function registerGrid(p: Problem, t: RegisterTile): Grid {
  return { rowTiles: ceilDiv(p.m, 4 * t.rowQuads), columnTiles: ceilDiv(p.n, 4 * t.columnQuads * t.lanes), splits: 1 };
}

export const register: MatMulKernel = {
  name: 'register',
  space: { rowQuads: [4, 2, 1], columnQuads: [2, 1], lanes: [32, 64, 16, 4] },
  epilogueAxis,
  when: canRun,
  legal(_, t, adapter) {
    const { rowQuads, columnQuads, lanes } = t as unknown as RegisterTile;
    // A GPU runs at least 32 invocations at a time, used or not; a CPU compiles a large tile for long.
    return adapter.software ? rowQuads * columnQuads <= 4 : lanes >= 32;
  },
  cost(n, t) {
    const tile = t as unknown as RegisterTile;
    const p = problemOf(n);
    const workgroups = workgroupsOf(p, registerGrid(p, tile));
    const invocations = workgroups * tile.lanes;
    const blocks = tile.rowQuads * tile.columnQuads;
    const steps = kQuads(p, 1);
    return {
      flops: invocations * steps * 128 * blocks,
      emulated: invocations * steps * (blocks * sumsFlops + 4 * (tile.rowQuads + tile.columnQuads) * placeFlops),
      traffic: loads(n, invocations, steps, 4 * (tile.rowQuads + tile.columnQuads)) + resultBytes(n, p),
      workgroups,
    };
  },
  dispatches(n, t) {
    const { rowQuads, columnQuads, lanes } = t as unknown as RegisterTile;
    const p = problemOf(n);
    const tail = storeText(n, p);
    return [
      productDispatch(n, p, registerGrid(p, { rowQuads, columnQuads, lanes }), {
        label: 'MatMul.register',
        text: registerText,
        constants: { ROW_QUADS: rowQuads, COLUMN_QUADS: columnQuads, LANES: lanes },
        tail,
      }),
    ];
  },
};
