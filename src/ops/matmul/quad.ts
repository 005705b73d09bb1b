// Products of packed operands without staging, the choice of software adapters: `quad` computes tiles whose rows four
// neighbours share through subgroups, `row` a row times a matrix.

import quadText from '../../../shaders/matmul-quad.wgsl?raw';
import rowText from '../../../shaders/matmul-row.wgsl?raw';
import type { AdapterProfile } from '../../base/adapter';
import { ceilDiv } from '../../base/shape';
import type { Cost, Dispatch, Tunables } from '../../ir/kernel';
import { type Pack, packedBlocks, packedRows } from './packed';
import type { MatMulNode, Problem } from './problem';
import {
  canRun,
  epilogueAxis,
  type Grid,
  kQuads,
  loads,
  type MatMulKernel,
  problemOf,
  resultBytes,
  shapedDispatch,
  sumsFlops,
  workgroupsOf,
} from './product';
import { frontText, storeText } from './text';

interface Tile {
  /** Loads of A's quads at every quad of k. */
  readonly rowLoads: number;
  /** What an invocation owns. */
  readonly rows: number;
  readonly columnQuads: number;
  readonly lanes: number;
}

const gridOf = (p: Problem, t: Tile): Grid => ({
  rowTiles: ceilDiv(p.m, t.rows),
  columnTiles: ceilDiv(p.n, 4 * t.columnQuads * t.lanes),
  splits: 1,
});

const packsOf = (n: MatMulNode, p: Problem): Pack[] =>
  [packedRows(n, p), packedBlocks(n, p)].flatMap((operand) => operand.pack ?? []);

function canPack(n: MatMulNode, { limits }: AdapterProfile): boolean {
  if (!canRun(n)) return false;
  const p = problemOf(n);
  const most = Math.min(limits.maxBufferSize, limits.maxStorageBufferBindingSize);
  return p.k > 0 && packsOf(n, p).every(({ bytes }) => bytes <= most);
}

function costOf(n: MatMulNode, t: Tile): Cost {
  const p = problemOf(n);
  const workgroups = workgroupsOf(p, gridOf(p, t));
  const steps = workgroups * t.lanes * kQuads(p, 1);
  const everyRun = packsOf(n, p).filter((pack) => !pack.dispatch.once);
  return {
    flops: steps * 32 * t.rows * t.columnQuads,
    emulated: (steps * sumsFlops * t.rows * t.columnQuads) / 4,
    // A pack loads one element at a time and stores four.
    traffic:
      loads(n, 1, steps, 4 * t.columnQuads + t.rowLoads) +
      resultBytes(n, p) +
      everyRun.reduce((sum, { bytes }) => sum + 4 * bytes, 0),
    workgroups,
    dispatches: 1 + everyRun.length,
  };
}

interface Shader {
  readonly name: string;
  readonly enable: string;
  readonly text: string;
  readonly constants: Tunables;
}

function dispatchesOf(n: MatMulNode, t: Tile, { name, enable, text, constants }: Shader): Dispatch[] {
  const p = problemOf(n);
  const [a, b] = [packedRows(n, p), packedBlocks(n, p)];
  const tail = storeText(n, p);
  const product = shapedDispatch(n, { ...p, a: a.side, b: b.side }, gridOf(p, t), {
    label: `MatMul.${name}`,
    text: [enable, frontText(n.input(0).dtype), a.text, b.text, tail.text, text].join('\n'),
    constants,
    tail,
    operands: { a: a.operand, b: b.operand },
  });
  return [...packsOf(n, p).map((pack) => pack.dispatch), product];
}

const quadTile = (t: Tunables): Tile => ({
  rowLoads: t.rowQuads as number,
  rows: 4 * (t.rowQuads as number),
  columnQuads: 1,
  lanes: t.lanes as number,
});

export const quad: MatMulKernel = {
  name: 'quad',
  space: { rowQuads: [4, 2, 1], lanes: [16, 64, 32, 4] },
  epilogueAxis,
  when: (n, adapter) => adapter.features.includes('subgroups') && canPack(n, adapter),
  // A GPU runs at least 32 invocations at a time, used or not.
  legal: (_, t, adapter) => adapter.software || (t.lanes as number) >= 32,
  cost: (n, t) => costOf(n, quadTile(t)),
  dispatches: (n, t) =>
    dispatchesOf(n, quadTile(t), {
      name: 'quad',
      enable: 'enable subgroups;',
      text: quadText,
      constants: { ROW_QUADS: t.rowQuads as number, LANES: t.lanes as number },
    }),
};

const rowTile = (t: Tunables): Tile => ({
  rowLoads: 1,
  rows: 1,
  columnQuads: t.columnQuads as number,
  lanes: t.lanes as number,
});

export const row: MatMulKernel = {
  name: 'row',
  space: { columnQuads: [2, 1], lanes: [16, 64, 4] },
  epilogueAxis,
  // A GPU wants k cut into slices, which are what gemv has.
  when: (n, adapter) => adapter.software && canPack(n, adapter) && problemOf(n).m === 1,
  cost: (n, t) => costOf(n, rowTile(t)),
  dispatches: (n, t) =>
    dispatchesOf(n, rowTile(t), {
      name: 'row',
      enable: '',
      text: rowText,
      constants: { COLUMN_QUADS: t.columnQuads as number, LANES: t.lanes as number },
    }),
};
