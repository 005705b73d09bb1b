// All operators, and their cases by operator: gathered from the files of src/ops, which export both.

import type { AnyFlow, AnyOp, OpCase } from '../../src/ir/opdef';
import { registerTrainingOperators } from '../../src/ops/training';

interface OpFile {
  readonly default: AnyOp | readonly AnyOp[];
  readonly cases?: OpCase[] | Record<string, OpCase[]>;
}

registerTrainingOperators();

const files = import.meta.glob<OpFile>(['../../src/ops/*.op.ts', '../../src/ops/training/*.op.ts'], { eager: true });

export const casesOf: ReadonlyMap<string, readonly OpCase[]> = new Map(
  Object.values(files).flatMap(({ default: ops, cases }) => {
    if (!cases) return [];
    if (!Array.isArray(cases)) return Object.entries(cases as Record<string, OpCase[]>);
    return [[(ops as AnyOp).name, cases] as [string, OpCase[]]];
  }),
);

export const operators: readonly AnyOp[] = Object.values(files).flatMap(({ default: ops }) => ops);

/** Control flow, which has no cases of this kind. */
export const flows: readonly AnyFlow[] = Object.values(
  import.meta.glob<readonly AnyFlow[]>('../../src/ops/*.flow.ts', { eager: true, import: 'default' }),
).flat();
