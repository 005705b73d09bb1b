// A vector times sparse weights on a CPU: one row an invocation, entries loaded a run at a time. What a load costs there is to find
// its place, within bounds, one neighbour after the other: a run's values are loaded as one structure, its columns as another, and
// the text says how long arrays are, which would else be found by a division at each turn of the loop.

import runsText from '../../../shaders/spmv-runs.wgsl?raw';
import { ceilDiv } from '../../base/shape';
import type { MatMulNode } from '../matmul/problem';
import { epilogueAxis, type MatMulKernel } from '../matmul/product';
import { foldWorkgroups } from '../wgsl/dispatch';
import { byteText } from './bytes';
import { arrayText, type Packed, packSlices, slicesOf } from './pack';
import {
  canRun,
  elementBytes,
  entryBytes,
  frontText,
  isVector,
  openFlops,
  packedBindings,
  storeRow,
  weightsOf,
} from './weights';

/** Rows of a slice: neighbours that a CPU runs at a time. */
const slice = 4;

/** Operations that a turn of the loop is worth beside the products, and a row beside its turns: its text is as long as a run. */
const turnFlops = 200;
const rowFlops = 1200;

/** WGSL of the bindings 0 to 3, and `runAt(at)`: the products of one run of entries, added up. */
function runsFront({ wide, bytes, table, room }: Packed, run: number, length: number): string {
  const entries = Array.from({ length: 4 * run }, (_, i) => i);
  const value = (i: number) =>
    bytes ? `(${byteText(`v.all[${i >> 2}]`, (i & 3) as 0 | 1 | 2 | 3)})` : `f32(v.all[${i}])`;
  const column = (i: number) => (wide ? `c.all[${i}]` : `(c.all[${i >> 1}] ${i % 2 === 0 ? '& 0xffffu' : '>> 16u'})`);
  const runs = room / run;
  return /* wgsl */ `const RUN_SHIFT = ${Math.log2(run)}u;
struct Values { all: array<${bytes ? 'i32' : 'elem'}, ${bytes ? run : 4 * run}> }
struct Columns { all: array<u32, ${wide ? 4 * run : 2 * run}> }
@group(0) @binding(0) var<storage, read> values: ${arrayText('Values', runs, room)};
@group(0) @binding(1) var<storage, read> columns: ${arrayText('Columns', runs, room)};
@group(0) @binding(2) var<storage, read> table: ${arrayText('u32', table.length, room)};
@group(0) @binding(3) var<storage, read> dense: ${arrayText('elem', length, room)};
fn runAt(at: u32) -> f32 {
  let v = values[at];
  let c = columns[at];
  return ${entries.map((i) => `${value(i)} * f32(dense[${column(i)}])`).join(' +\n    ')};
}
`;
}

export const vectorRuns: MatMulKernel = {
  name: 'sparse-vector-runs',
  sparse: true,
  space: { run: [2, 1], lanes: [64, 16] },
  epilogueAxis,
  when: (n, adapter) => adapter.software && canRun(n, adapter) && isVector(n),
  cost(n, t) {
    const run = t.run as number;
    const { quads, slices } = slicesFor(n, run);
    const bytes = elementBytes(n);
    const invocations = slices * slice;
    return {
      flops: 8 * quads,
      emulated: quads * (turnFlops / run + 4 * openFlops(n)) + rowFlops * run * invocations,
      // Structures are loaded for half of what their parts would cost; the vector is read in no order.
      traffic: quads * 4 * (entryBytes(n) / 2 + 1.5 * bytes) + invocations * (12 + bytes),
      workgroups: ceilDiv(invocations, t.lanes as number),
    };
  },
  dispatches(n, t) {
    const [run, lanes] = [t.run as number, t.lanes as number];
    const p = weightsOf(n);
    const packed = packSlices(n, { ...p, slice, run });
    const tail = storeRow(n);
    return [
      packed.dispatch,
      {
        label: 'MatMul.sparseVectorRuns',
        wgsl: frontText(n) + runsFront(packed, run, p.length) + tail.text + runsText,
        constants: { LANES: lanes },
        bindings: { ...packedBindings(packed), dense: { input: p.dense.input }, ...tail.bindings },
        uniforms: { rows: p.rows, slices: packed.slices, alpha: n.attributes.alpha },
        workgroups: foldWorkgroups(ceilDiv(packed.slices * slice, lanes)),
      },
    ];
  },
};

function slicesFor(n: MatMulNode, run: number) {
  const { pattern, along } = weightsOf(n);
  return slicesOf(pattern, along, slice, run);
}
