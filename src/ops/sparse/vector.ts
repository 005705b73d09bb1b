// A vector times sparse weights. `slices`: one row an invocation, rows of one slice alike (faster on a CPU: runs.ts); `lanes`:
// several invocations a row; `bins`: as many invocations as the rows of a bin have work for, the rows being sorted by length;
// `merge`: equal work wherever rows end.

import slicesText from '../../../shaders/spmv-slices.wgsl?raw';
import lanesText from '../../../shaders/spmv-vector.wgsl?raw';
import { ceilDiv } from '../../base/shape';
import type { Cost, Dispatch } from '../../ir/kernel';
import type { MatMulNode } from '../matmul/problem';
import { epilogueAxis, type MatMulKernel } from '../matmul/product';
import { foldWorkgroups } from '../wgsl/dispatch';
import { mergeCost, mergeDispatches } from './merge';
import { entriesText, entryQuadsText, packSlices, rowAtText, type Slices, slicesOf, tableText } from './pack';
import {
  canRun,
  elementBytes,
  entryBytes,
  frontText,
  invocationFlops,
  isVector,
  openFlops,
  packedBindings,
  storeRow,
  weightsOf,
} from './weights';

/** Operations that a turn of a loop over four entries is worth on a software adapter beside the products, and a row beside its turns. */
const turnFlops = 100;
const rowFlops = 1200;

const slicesFor = (n: MatMulNode, slice: number): Slices => {
  const { pattern, along } = weightsOf(n);
  return slicesOf(pattern, along, slice);
};

export const vectorSlices: MatMulKernel = {
  name: 'sparse-vector-slices',
  sparse: true,
  space: { slice: [4, 32], lanes: [64] },
  epilogueAxis,
  when: (n, adapter) => canRun(n, adapter) && isVector(n),
  // A GPU's neighbours are many, and should read neighbouring words.
  legal: (_, t, { software }) => (t.slice === 4) === software,
  cost(n, t) {
    const bytes = elementBytes(n);
    const slice = t.slice as number;
    const { quads, slices } = slicesFor(n, slice);
    const invocations = slices * slice;
    return {
      flops: 8 * quads,
      emulated: quads * (2 * turnFlops + 4 * openFlops(n)) + rowFlops * invocations,
      // The vector is read in no order.
      traffic: quads * 4 * (entryBytes(n) + 1.5 * bytes) + invocations * (12 + bytes),
      workgroups: ceilDiv(invocations, t.lanes as number),
    };
  },
  dispatches(n, t) {
    const [slice, lanes] = [t.slice as number, t.lanes as number];
    const p = weightsOf(n);
    const packed = packSlices(n, { ...p, slice });
    const tail = storeRow(n);
    return [
      packed.dispatch,
      {
        label: 'MatMul.sparseVectorSlices',
        wgsl: frontText(n) + entryQuadsText(packed) + tail.text + slicesText,
        constants: { SLICE: slice, LANES: lanes },
        bindings: { ...packedBindings(packed), dense: { input: p.dense.input }, ...tail.bindings },
        uniforms: { rows: p.rows, slices: packed.slices, alpha: n.attributes.alpha },
        workgroups: foldWorkgroups(ceilDiv(packed.slices * slice, lanes)),
      },
    ];
  },
};

/** Invocations of a workgroup of spmv-vector.wgsl. */
const group = 64;

/** Positions that are run with as many invocations a row each. */
interface Bin {
  readonly first: number;
  readonly end: number;
  readonly lanes: number;
}

function lanesCost(n: MatMulNode, bins: readonly Bin[]): Cost {
  const { table } = slicesFor(n, 1);
  const bytes = elementBytes(n);
  let [steps, results, workgroups] = [0, 0, 0];
  for (const { first, end, lanes } of bins) {
    const height = group / lanes;
    // A workgroup is done when its longest row is, the first of it.
    for (let row = first; row < end; row += height) {
      const entries = 4 * ((table[row + 1] as number) - (table[row] as number));
      steps += group * ceilDiv(entries, lanes);
      workgroups++;
    }
    results += (end - first) * lanes;
  }
  return {
    flops: 2 * steps,
    // Barriers make a CPU leave an invocation and come back to it.
    emulated: steps * (turnFlops + openFlops(n)) + 40 * invocationFlops * results,
    traffic: steps * (entryBytes(n) + 1.5 * bytes) + results * 12,
    shared: results * 16,
    cleared: results * group * 4,
    workgroups,
    dispatches: bins.length,
  };
}

function lanesDispatches(n: MatMulNode, part: string, bins: readonly Bin[]): Dispatch[] {
  const p = weightsOf(n);
  const packed = packSlices(n, { ...p, slice: 1 });
  const tail = storeRow(n);
  const wgsl = frontText(n) + entriesText(packed) + rowAtText + tail.text + lanesText;
  return [
    packed.dispatch,
    ...bins.map(({ first, end, lanes }) => ({
      label: `MatMul.${part}`,
      wgsl,
      constants: { LANES: lanes, ROWS: group / lanes, SUMS: group },
      bindings: { ...packedBindings(packed), dense: { input: p.dense.input }, ...tail.bindings },
      uniforms: { rows: p.rows, first, end, alpha: n.attributes.alpha },
      workgroups: foldWorkgroups(ceilDiv(end - first, group / lanes)),
    })),
  ];
}

const wholeBin = (n: MatMulNode, lanes: number): Bin[] => [{ first: 0, end: weightsOf(n).rows, lanes }];

export const vectorLanes: MatMulKernel = {
  name: 'sparse-vector-lanes',
  sparse: true,
  space: { lanes: [8, 4, 16, 32] },
  epilogueAxis,
  when: (n, adapter) => canRun(n, adapter) && isVector(n),
  cost: (n, t) => lanesCost(n, wholeBin(n, t.lanes as number)),
  dispatches: (n, t) => lanesDispatches(n, 'sparseVectorLanes', wholeBin(n, t.lanes as number)),
};

/** Quads of a row from which it gets as many invocations, the longest first. */
const binned = [
  { quads: 64, lanes: 64 },
  { quads: 8, lanes: 16 },
  { quads: 0, lanes: 4 },
];

/** The bins that have rows: these lie in the order of their length. */
function binsOf(n: MatMulNode): Bin[] {
  const { table, rows } = slicesFor(n, 1);
  const bins: Bin[] = [];
  let row = 0;
  for (const { quads, lanes } of binned) {
    const first = row;
    while (row < rows && (table[row + 1] as number) - (table[row] as number) >= quads) row++;
    if (row > first) bins.push({ first, end: row, lanes });
  }
  return bins;
}

export const vectorBins: MatMulKernel = {
  name: 'sparse-vector-bins',
  sparse: true,
  epilogueAxis,
  when: (n, adapter) => canRun(n, adapter) && isVector(n) && binsOf(n).length > 1,
  cost: (n) => lanesCost(n, binsOf(n)),
  dispatches: (n) => lanesDispatches(n, 'sparseVectorBins', binsOf(n)),
};

export const vectorMerge: MatMulKernel = {
  name: 'sparse-vector-merge',
  sparse: true,
  space: { items: [16, 32, 8] },
  epilogueAxis,
  when: (n, adapter) => canRun(n, adapter) && isVector(n),
  cost(n, t) {
    const merge = mergeOf(n, t.items as number);
    const cost = mergeCost(merge, elementBytes(n), entryBytes(n));
    return { ...cost, emulated: (cost.emulated ?? 0) + merge.entries * openFlops(n) };
  },
  dispatches(n, t) {
    const p = weightsOf(n);
    const packed = packSlices(n, { ...p, slice: 1 });
    const tail = storeRow(n);
    return [
      packed.dispatch,
      ...mergeDispatches({
        ...mergeOf(n, t.items as number),
        owner: 'MatMul.sparseVector',
        alpha: n.attributes.alpha,
        front: { text: frontText(n) + entriesText(packed), bindings: packedBindings(packed) },
        dense: { input: p.dense.input },
        plain: frontText(n),
        result: { text: tableText + rowAtText + tail.text, bindings: { table: packed.tableOperand, ...tail.bindings } },
      }),
    ];
  },
};

function mergeOf(n: MatMulNode, items: number) {
  const { rows, quads } = slicesFor(n, 1);
  return { rows, entries: 4 * quads, items };
}
