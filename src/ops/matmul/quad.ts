// Products of packed operands without staging, the choice of software adapters: `quad` computes tiles whose rows four
// neighbours share through subgroups, `row` a row times a matrix, the row being shared likewise.

import quadText from '../../../shaders/matmul-quad.wgsl?raw';
import rowText from '../../../shaders/matmul-row.wgsl?raw';
import type { AdapterProfile } from '../../base/adapter';
import { ceilDiv, sizeOf } from '../../base/shape';
import type { Cost, Dispatch, Tunables } from '../../ir/kernel';
import { arrayType } from '../wgsl/elements';
import { type Pack, type PackedOperand, packedBlocks, packedRows } from './packed';
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

const packsOf = ({ a, b }: Operands): Pack[] => [a, b].flatMap((operand) => operand.pack ?? []);

function canPack(n: MatMulNode, { limits }: AdapterProfile): boolean {
  if (!canRun(n)) return false;
  const p = problemOf(n);
  const most = Math.min(limits.maxBufferSize, limits.maxStorageBufferBindingSize);
  return p.k > 0 && packsOf(packedOperands(n, p)).every(({ bytes }) => bytes <= most);
}

function costOf(n: MatMulNode, t: Tile, operands: Operands): Cost {
  const p = problemOf(n);
  const workgroups = workgroupsOf(p, gridOf(p, t));
  const steps = workgroups * t.lanes * kQuads(p, 1);
  const everyRun = packsOf(operands).filter((pack) => !pack.dispatch.once);
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

interface Operands {
  readonly a: PackedOperand;
  readonly b: PackedOperand;
}

const packedOperands = (n: MatMulNode, p: Problem): Operands => ({ a: packedRows(n, p), b: packedBlocks(n, p) });

function dispatchesOf(n: MatMulNode, t: Tile, { a, b }: Operands, shader: Shader): Dispatch[] {
  const { name, enable, text, constants } = shader;
  const p = problemOf(n);
  const tail = storeText(n, p);
  const product = shapedDispatch(n, { ...p, a: a.side, b: b.side }, gridOf(p, t), {
    label: `MatMul.${name}`,
    text: [enable, frontText(n.input(0).dtype), a.text, b.text, tail.text, text].join('\n'),
    constants,
    tail,
    operands: { a: a.operand, b: b.operand },
  });
  return [...packsOf({ a, b }).map((pack) => pack.dispatch), product];
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
  cost: (n, t) => costOf(n, quadTile(t), packedOperands(n, problemOf(n))),
  dispatches: (n, t) =>
    dispatchesOf(n, quadTile(t), packedOperands(n, problemOf(n)), {
      name: 'quad',
      enable: 'enable subgroups;',
      text: quadText,
      constants: { ROW_QUADS: t.rowQuads as number, LANES: t.lanes as number },
    }),
};

const rowTile = (t: Tunables): Tile => ({
  rowLoads: t.shared === 1 ? 0.25 : 1,
  rows: 1,
  columnQuads: t.columnQuads as number,
  lanes: t.lanes as number,
});

/** Elements of B from which shaders that say how large it is save more time than it takes to compile them for each size. */
const largeB = 1 << 21;
/** Operations that finding out how large operands are is worth at each quad of k: a software adapter divides lane by lane. */
const lengthFlops = 150;

const isLargeB = (p: Problem) => p.k * p.n >= largeB;

/** The row A with `aFour(start, kQuad, lane)`, which four neighbours load one element each of where `shared`. */
function rowOperands(n: MatMulNode, p: Problem, shared: boolean): Operands {
  const b = packedBlocks(n, p, isLargeB(p));
  if (!shared) {
    const a = packedRows(n, p);
    const text = /* wgsl */ `${a.text}
struct Lane { @builtin(local_invocation_index) local: u32 }
fn aFour(start: u32, kQuad: u32, lane: Lane) -> vec4f { return vec4f(aQuad(aRow(start, 0u), kQuad)); }
`;
    return { a: { ...a, text }, b };
  }
  const text = /* wgsl */ `
struct Lane { @builtin(local_invocation_index) local: u32, @builtin(subgroup_invocation_id) neighbour: u32 }
@group(0) @binding(0) var<storage, read> a: ${arrayType('elem', isLargeB(p) ? sizeOf(n.input(p.a.input).dims) : undefined)};
fn aFour(start: u32, kQuad: u32, lane: Lane) -> vec4f {
  let k = 4u * kQuad + (lane.neighbour & 3u);
  let own = select(0.0, f32(a[start + k]), k < params.k);
  return vec4f(quadBroadcast(own, 0u), quadBroadcast(own, 1u), quadBroadcast(own, 2u), quadBroadcast(own, 3u));
}
`;
  return { a: { operand: { input: p.a.input }, side: p.a, text }, b };
}

export const row: MatMulKernel = {
  name: 'row',
  space: { columnQuads: [2, 1], lanes: [16, 64, 4], shared: [1, 0] },
  epilogueAxis,
  // A GPU wants k cut into slices, which are what gemv has.
  when: (n, adapter) => adapter.software && canPack(n, adapter) && problemOf(n).m === 1,
  legal: (_, t, { features }) => (t.shared === 1) === features.includes('subgroups'),
  cost(n, t) {
    const p = problemOf(n);
    const cost = costOf(n, rowTile(t), rowOperands(n, p, t.shared === 1));
    const steps = cost.workgroups * (t.lanes as number) * kQuads(p, 1);
    return isLargeB(p) ? cost : { ...cost, emulated: (cost.emulated ?? 0) + lengthFlops * steps };
  },
  dispatches: (n, t) =>
    dispatchesOf(n, rowTile(t), rowOperands(n, problemOf(n), t.shared === 1), {
      name: 'row',
      enable: t.shared === 1 ? 'enable subgroups;' : '',
      text: rowText,
      constants: { COLUMN_QUADS: t.columnQuads as number, LANES: t.lanes as number },
    }),
};
