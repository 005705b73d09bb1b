// The two dispatches of a sparse product with a vector whose work is cut into equal parts wherever rows end: for matrices a
// few of whose rows have most of the entries. Explicit compressed rows and packed weights share them.

import joinText from '../../../shaders/spmv-join.wgsl?raw';
import mergeText from '../../../shaders/spmv-merge.wgsl?raw';
import { ceilDiv } from '../../base/shape';
import type { Cost, Dispatch, Operand } from '../../ir/kernel';
import { oneEach } from '../wgsl/dispatch';

type Bindings = Readonly<Record<string, Operand>>;

export interface Merge {
  /** The operator's name in labels. */
  readonly owner: string;
  readonly rows: number;
  readonly entries: number;
  /** Steps of an invocation: entries and ends of rows. */
  readonly items: number;
  readonly alpha: number;
  /** Types, and how entries are read. */
  readonly front: { readonly text: string; readonly bindings: Bindings };
  readonly dense: Operand;
  /** What only the second dispatch reads: `rowAt` and `store`. */
  readonly result: { readonly text: string; readonly bindings: Bindings };
  /** What it needs in front: aliases and helpers. */
  readonly plain: string;
}

const lanes = 64;

export const mergeInvocations = ({ rows, entries, items }: Pick<Merge, 'rows' | 'entries' | 'items'>) =>
  Math.max(1, ceilDiv(rows + entries, items));

export function mergeDispatches(merge: Merge): Dispatch[] {
  const { owner, rows, alpha, items } = merge;
  const invocations = mergeInvocations(merge);
  const sums: Operand = { scratch: 'sums', bytes: 4 * Math.max(4, rows) };
  const carries: Operand = { scratch: 'carries', bytes: 8 * invocations };
  const uniforms = { rows, alpha, invocations };
  return [
    {
      label: `${owner}.merge`,
      wgsl: merge.front.text + mergeText,
      constants: { LANES: lanes, ITEMS: items },
      bindings: { ...merge.front.bindings, dense: merge.dense, sums, carries },
      uniforms,
      workgroups: oneEach(invocations, lanes),
    },
    {
      label: `${owner}.join`,
      wgsl: merge.plain + merge.result.text + joinText,
      constants: { LANES: lanes },
      bindings: { sums, carries, ...merge.result.bindings },
      uniforms,
      workgroups: oneEach(rows, lanes),
    },
  ];
}

/** @param bytes of an element, and of an entry with its column */
export function mergeCost(m: Pick<Merge, 'rows' | 'entries' | 'items'>, bytes: number, entryBytes: number): Cost {
  const invocations = mergeInvocations(m);
  const steps = m.entries + m.rows;
  const search = Math.log2(m.rows + 2) * 8;
  return {
    flops: 2 * steps,
    emulated: 200 * steps + invocations * 30 * search,
    // Neighbours read entries some apart, which a GPU fetches in longer runs.
    traffic:
      1.5 * m.entries * (entryBytes + bytes) + invocations * (8 + 2 * search) + m.rows * (24 + bytes + 2 * search),
    workgroups: ceilDiv(invocations, lanes) + ceilDiv(m.rows, lanes),
    dispatches: 2,
  };
}
