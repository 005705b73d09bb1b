// The variants of a matrix product. All take float operands of any size, transposed or not, and run the
// node's fused program on their results; which is fastest depends on the adapter and the sizes.

import gemvText from '../../../shaders/matmul-gemv.wgsl?raw';
import registerText from '../../../shaders/matmul-register.wgsl?raw';
import sumText from '../../../shaders/matmul-sum.wgsl?raw';
import tiledText from '../../../shaders/matmul-tiled.wgsl?raw';
import { byteSize, isFloat } from '../../base/dtype';
import { ceilDiv } from '../../base/shape';
import type { Cost, Dispatch, Kernel, Tunables } from '../../ir/kernel';
import { foldWorkgroups, oneEach } from '../wgsl/dispatch';
import { batchSize, kernelProblem, type MatMulAttributes, type MatMulNode, type Problem } from './problem';
import { operandsText, ownRows, partialStore, sharedRows, storeText, sumPrelude, type Tail } from './text';

type MatMulKernel = Kernel<MatMulAttributes>;

/** How a variant cuts the result into tiles, one a workgroup, and k into splits. */
interface Grid {
  readonly rowTiles: number;
  readonly columnTiles: number;
  readonly splits: number;
}

function problemOf(n: MatMulNode): Problem {
  return kernelProblem(n) ?? n.fail('has more batch dimensions than the kernels walk');
}

const canRun = (n: MatMulNode) => isFloat(n.input(0).dtype) && kernelProblem(n) !== undefined;
const epilogueAxis = (n: MatMulNode) => n.output(0).dims.length - 1;

function workgroupsOf(p: Problem, grid: Grid): number {
  return grid.rowTiles * grid.columnTiles * grid.splits * batchSize(p);
}

function kQuads(p: Problem, splits: number): number {
  return ceilDiv(ceilDiv(p.k, 4), splits);
}

function productDispatch(
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
const loads = (n: MatMulNode, invocations: number, steps: number, quads: number) =>
  invocations * steps * quads * 4 * byteSize(n.input(0).dtype);

const resultBytes = (n: MatMulNode, p: Problem) => byteSize(n.input(0).dtype) * batchSize(p) * p.m * p.n;

// --- register -----------------------------------------------------------------------------------------

interface RegisterTile {
  readonly rowQuads: number;
  readonly columnQuads: number;
  readonly lanes: number;
}

function registerGrid(p: Problem, t: RegisterTile): Grid {
  return { rowTiles: ceilDiv(p.m, 4 * t.rowQuads), columnTiles: ceilDiv(p.n, 4 * t.columnQuads * t.lanes), splits: 1 };
}

function registerKernel(name: string, lineShare: number, aBlock: string, enable: string): MatMulKernel {
  return {
    name,
    space: { rowQuads: [4, 2, 1], columnQuads: [2, 1], lanes: [32, 64, 16, 4] },
    epilogueAxis,
    when: (n, adapter) => canRun(n) && (enable === '' || adapter.features.includes('subgroups')),
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
        traffic: loads(n, invocations, steps, 4 * (tile.rowQuads / lineShare + tile.columnQuads)) + resultBytes(n, p),
        workgroups,
      };
    },
    dispatches(n, t) {
      const { rowQuads, columnQuads, lanes } = t as unknown as RegisterTile;
      const p = problemOf(n);
      const tail = storeText(n, p);
      const dispatch = productDispatch(n, p, registerGrid(p, { rowQuads, columnQuads, lanes }), {
        label: `MatMul.${name}`,
        text: aBlock + registerText,
        constants: { ROW_QUADS: rowQuads, COLUMN_QUADS: columnQuads, LANES: lanes },
        tail,
      });
      return [{ ...dispatch, wgsl: enable + dispatch.wgsl }];
    },
  };
}

// --- tiled --------------------------------------------------------------------------------------------

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
    workgroups,
    dispatches: t.splits > 1 ? 2 : 1,
  };
}

function stagedDispatch(n: MatMulNode, p: Problem, t: StagedTile, tail: Tail): Dispatch {
  const { width, height, rowQuads, columnQuads } = t;
  return productDispatch(n, p, stagedGrid(p, t), {
    label: 'MatMul.tiled',
    text: tiledText,
    constants: {
      WIDTH: width,
      HEIGHT: height,
      ROW_QUADS: rowQuads,
      COLUMN_QUADS: columnQuads,
      K_QUADS: t.kQuads,
      A_LINES: 4 * t.kQuads * height * rowQuads,
      B_LINES: 4 * t.kQuads * width * columnQuads,
    },
    tail,
  });
}

const fits: MatMulKernel['legal'] = (n, tunables, { limits }) => {
  const t = stagedTile(tunables);
  const bytes = 4 * byteSize(n.input(0).dtype) * stagedQuads(t);
  return (
    bytes <= limits.maxComputeWorkgroupStorageSize && t.width * t.height <= limits.maxComputeInvocationsPerWorkgroup
  );
};

const tiled: MatMulKernel = {
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

const tiledSplit: MatMulKernel = {
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
        wgsl: `${sumPrelude(n.input(0).dtype)}\n${tail.text}\n${sumText}`,
        constants: { LANES: lanes },
        bindings: { partial: partial.operand, ...tail.bindings },
        uniforms: { m: p.m, n: p.n, splits: tile.splits, batch: batchSize(p), alpha: n.attributes.alpha },
        workgroups: oneEach(batchSize(p) * p.m * ceilDiv(p.n, 4), lanes),
      },
    ];
  },
};

// --- gemv ---------------------------------------------------------------------------------------------

interface GemvTile {
  readonly width: number;
  readonly slices: number;
  readonly columnQuads: number;
}

const gemv: MatMulKernel = {
  name: 'gemv',
  space: { width: [32, 8, 4, 16], slices: [4, 1, 8, 16], columnQuads: [1, 2] },
  epilogueAxis,
  when: (n) => canRun(n) && problemOf(n).m === 1,
  legal: (_, t, adapter) => {
    const lanes = (t.width as number) * (t.slices as number);
    return lanes <= adapter.limits.maxComputeInvocationsPerWorkgroup && (adapter.software ? lanes <= 64 : lanes >= 32);
  },
  cost(n, t) {
    const { width, slices, columnQuads } = t as unknown as GemvTile;
    const p = problemOf(n);
    const workgroups = ceilDiv(p.n, 4 * columnQuads * width) * batchSize(p);
    const invocations = workgroups * width * slices;
    const steps = ceilDiv(ceilDiv(p.k, 4), slices);
    return {
      flops: invocations * steps * 32 * columnQuads,
      traffic: loads(n, invocations, steps, 4 * columnQuads + 1) + resultBytes(n, p),
      shared: invocations * columnQuads * 16 * 4,
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

export const matmulKernels: readonly MatMulKernel[] = [
  tiled,
  tiledSplit,
  registerKernel('register', 1, ownRows, ''),
  registerKernel('register-subgroups', 4, sharedRows, 'enable subgroups;\n'),
  gemv,
];
