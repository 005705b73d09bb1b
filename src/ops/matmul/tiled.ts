// Both operands staged through workgroup memory: the choice of GPUs. The split variant cuts long sums into
// pieces for more workgroups than the result has tiles, and adds the pieces in a second pass.

import sumText from '../../../shaders/matmul-sum.wgsl?raw';
import tiledText from '../../../shaders/matmul-tiled.wgsl?raw';
import { byteSize, deviceType } from '../../base/dtype';
import { ceilDiv } from '../../base/shape';
import type { Cost, Dispatch, Tunables } from '../../ir/kernel';
import { linearHelpers, oneEach } from '../wgsl/dispatch';
import { elemAliases } from '../wgsl/elements';
import { batchSize, type MatMulNode, type Problem } from './problem';
import {
  canRun,
  epilogueAxis,
  type Grid,
  kQuads,
  loads,
  type MatMulKernel,
  problemOf,
  productDispatch,
  resultBytes,
  workgroupsOf,
} from './product';
import { partialStore, storeText, type Tail } from './text';

interface StagedTile {
  readonly width: number;
  readonly height: number;
  readonly rowQuads: number;
  readonly columnQuads: number;
  readonly kQuads: number;
  readonly splits: number;
}

const stagedTile = (t: Tunables): StagedTile => ({ splits: 1, ...t }) as unknown as StagedTile;

function stagedGrid(p: Problem, t: StagedTile): Grid {
  return {
    rowTiles: ceilDiv(p.m, 4 * t.height * t.rowQuads),
    columnTiles: ceilDiv(p.n, 4 * t.width * t.columnQuads),
    splits: t.splits,
  };
}

const stagedQuads = (t: StagedTile) => 4 * t.kQuads * (t.height * t.rowQuads + t.width * t.columnQuads);

/** Quads from one staged line to the next: one more where lines run along k, see the shader. */
const stepsOf = (p: Problem, t: StagedTile) => ({
  a: t.height * t.rowQuads + Number(!p.a.transposed),
  b: t.width * t.columnQuads + Number(p.b.transposed),
});

function stagedBytes(n: MatMulNode, t: StagedTile): number {
  const { a, b } = stepsOf(problemOf(n), t);
  return 4 * byteSize(deviceType(n.input(0).dtype)) * 4 * t.kQuads * (a + b);
}

function stagedCost(n: MatMulNode, t: StagedTile): Cost {
  const p = problemOf(n);
  const workgroups = workgroupsOf(p, stagedGrid(p, t));
  const invocations = workgroups * t.width * t.height;
  const rounds = ceilDiv(kQuads(p, t.splits), t.kQuads);
  const staged = loads(n, workgroups, rounds, stagedQuads(t));
  const partial = t.splits > 1 ? 32 * batchSize(p) * t.splits * p.m * ceilDiv(p.n, 4) : 0;
  return {
    flops: invocations * rounds * t.kQuads * 128 * t.rowQuads * t.columnQuads,
    traffic: staged + partial + resultBytes(n, p),
    shared: staged + loads(n, invocations, rounds * t.kQuads, 4 * (t.rowQuads + t.columnQuads)),
    cleared: invocations * stagedBytes(n, t),
    workgroups,
    dispatches: t.splits > 1 ? 2 : 1,
  };
}

function stagedDispatch(n: MatMulNode, p: Problem, t: StagedTile, tail: Tail): Dispatch {
  const { width, height, rowQuads, columnQuads } = t;
  const steps = stepsOf(p, t);
  return productDispatch(n, p, stagedGrid(p, t), {
    label: 'MatMul.tiled',
    text: tiledText,
    constants: {
      WIDTH: width,
      HEIGHT: height,
      ROW_QUADS: rowQuads,
      COLUMN_QUADS: columnQuads,
      K_QUADS: t.kQuads,
      A_STEP: steps.a,
      B_STEP: steps.b,
      A_SIZE: 4 * t.kQuads * steps.a,
      B_SIZE: 4 * t.kQuads * steps.b,
    },
    tail,
  });
}

/** SwiftShader clears workgroup memory by straight-line code, so that each KiB takes 0.1 to 0.2 s to compile. */
const softwareStaging = 3072;

const fits: MatMulKernel['legal'] = (n, tunables, { limits, software }) => {
  const t = stagedTile(tunables);
  const bytes = stagedBytes(n, t);
  const most = software ? softwareStaging : limits.maxComputeWorkgroupStorageSize;
  return bytes <= most && t.width * t.height <= limits.maxComputeInvocationsPerWorkgroup;
};

export const tiled: MatMulKernel = {
  name: 'tiled',
  space: { width: [16, 8], height: [8, 16, 4], rowQuads: [2, 1], columnQuads: [2, 1], kQuads: [4, 8, 2] },
  epilogueAxis,
  when: canRun,
  legal: fits,
  cost: (n, t) => stagedCost(n, stagedTile(t)),
  dispatches(n, t) {
    const p = problemOf(n);
    return [stagedDispatch(n, p, stagedTile(t), storeText(n, p))];
  },
};

export const tiledSplit: MatMulKernel = {
  name: 'tiled-split-k',
  space: {
    splits: [4, 2, 8, 16],
    width: [16, 8],
    height: [8, 4],
    rowQuads: [2, 1],
    columnQuads: [2, 1],
    kQuads: [4, 2],
  },
  epilogueAxis,
  when: canRun,
  // A split shorter than two rounds of staging is not worth its partial sums.
  legal: (n, t, adapter) => kQuads(problemOf(n), t.splits as number) >= 2 * (t.kQuads as number) && fits(n, t, adapter),
  cost: (n, t) => stagedCost(n, stagedTile(t)),
  dispatches(n, t) {
    const p = problemOf(n);
    const tile = stagedTile(t);
    const partial = partialStore(p, tile.splits);
    const tail = storeText(n, p);
    const lanes = 64;
    return [
      stagedDispatch(n, p, tile, partial),
      {
        label: 'MatMul.sum',
        wgsl: `${elemAliases(n.input(0).dtype)}${linearHelpers}\n${tail.text}\n${sumText}`,
        constants: { LANES: lanes },
        bindings: { partial: partial.operand, ...tail.bindings },
        uniforms: { m: p.m, n: p.n, splits: tile.splits, batch: batchSize(p), alpha: n.attributes.alpha },
        workgroups: oneEach(batchSize(p) * p.m * ceilDiv(p.n, 4), lanes),
      },
    ];
  },
};
