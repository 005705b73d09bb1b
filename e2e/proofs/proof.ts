// What a proof is: a model that learns from real data, at two sizes, and what it must reach.

import type { Callback, Logs } from '../../src/api/nn/callbacks';
import type { NodeTraining } from './in-node';

export interface Context {
  readonly training: NodeTraining;
  /** The whole size, or the small one of the test suite. */
  readonly full: boolean;
  /** Of proofs that take it: how often to measure, with the seeds from 1 on; default once, with a seed of the proof's own. */
  readonly seeds?: number;
  readonly log: (line: string) => void;
}

/** What was measured, by name. */
export type Measured = Readonly<Record<string, number>>;

/** A bound each: 'atLeast', or 'below', another measured number where a name is given. */
export type Claims = Readonly<Record<string, { readonly atLeast: number } | { readonly below: number | string }>>;

export interface Proof {
  /** One line. */
  readonly about: string;
  readonly claims: { readonly small: Claims; readonly full: Claims };
  /** Whether it can measure with several seeds: what is claimed is then of the mean. */
  readonly takesSeeds?: true;
  run(context: Context): Promise<Measured>;
}

/** What was claimed and is not so, a line each. */
export function broken(claims: Claims, measured: Measured): string[] {
  return Object.entries(claims).flatMap(([name, claim]) => {
    const value = measured[name] ?? Number.NaN;
    if ('atLeast' in claim) return value >= claim.atLeast ? [] : [`${name} is ${value}, not at least ${claim.atLeast}`];
    const bound = typeof claim.below === 'number' ? claim.below : (measured[claim.below] ?? Number.NaN);
    return value < bound
      ? []
      : [`${name} is ${value}, not below ${claim.below}${claim.below === bound ? '' : ` (${bound})`}`];
  });
}

/** Reports epochs, and batches of long ones. */
export function progress(log: (line: string) => void, everyBatches = Number.POSITIVE_INFINITY): Callback {
  const write = (where: string, logs: Logs) => {
    const numbers = Object.entries(logs).map(([name, value]) => `${name} ${value.toFixed(4)}`);
    log(`${where}: ${numbers.join(', ')}`);
  };
  return {
    onBatchEnd(batch, logs) {
      if ((batch + 1) % everyBatches === 0) write(`  batch ${batch + 1}`, logs);
    },
    onEpochEnd: (epoch, logs) => write(`epoch ${epoch + 1}`, logs),
  };
}
