// What a run of the benchmark writes: the results file, as plain data.

import type { PlanMemory } from './pages/runtime';
import type { SparseResult } from './sparse/run';
import type { Summary } from './statistics';

/** In the order of the table. The first is ours, the others its peers. */
export const runtimeNames = ['lepton', 'ort-webgpu', 'ort-wasm', 'tfjs-webgpu', 'jax-webgpu'] as const;
export type RuntimeName = (typeof runtimeNames)[number];

/** Those that Lepton is compared with: they use the same adapter. */
export const webgpuPeers: readonly RuntimeName[] = ['ort-webgpu', 'tfjs-webgpu', 'jax-webgpu'];

/** What is said of runtimes that only run models. */
export const cannotTrain = 'cannot train';

/** A time, with the largest error relative to the output's scale; or why there is none. */
export type Result = (Summary & { readonly error: number }) | { readonly problem: string };

export interface CaseResult {
  readonly name: string;
  readonly group: string;
  readonly flops?: number;
  readonly bytes?: number;
  readonly results: Partial<Record<RuntimeName, Result>>;
  /** Lepton's GPU memory for what the run computes. */
  readonly memory?: PlanMemory;
}

export interface StartResult extends Summary {
  /** Bytes on the wire, without the model's, compressed as served. */
  readonly libraryBytes: number;
  readonly modelBytes: number;
  /** Longest task of the page's main thread, milliseconds. */
  readonly longestTask: number;
  /** Most memory of the JS heaps of page and workers, typed arrays included. */
  readonly heapBytes: number;
}

export const visits = ['first visit', 'second visit'] as const;
export type Visit = (typeof visits)[number];

export interface StartCase {
  readonly name: string;
  readonly visit: Visit;
  readonly results: Partial<Record<RuntimeName, StartResult | { readonly problem: string }>>;
  /** Of a page without a runtime, see pages/floor.ts. */
  readonly floor: Summary | { readonly problem: string };
}

export interface BenchResults {
  readonly date: string;
  readonly adapter: { readonly vendor: string; readonly architecture: string; readonly description: string };
  readonly browser: string;
  readonly system: string;
  /** Of every runtime, with what it told of itself. */
  readonly versions: Partial<Record<RuntimeName, string>>;
  readonly cases: readonly CaseResult[];
  readonly starts: readonly StartCase[];
  readonly sparse: readonly SparseResult[];
}

/** Everything that has times, cases before starts, under names that differ. */
export function rowsOf({ cases, starts }: Pick<BenchResults, 'cases' | 'starts'>): Row[] {
  return [
    ...cases.map(({ name, results }) => ({ name, test: name, results })),
    ...starts.map(({ name, visit, results }) => ({ name: `${name}, ${visit}`, test: name, results })),
  ];
}

export interface Row {
  readonly name: string;
  /** What `--only` knows it by. */
  readonly test: string;
  readonly results: Partial<Record<RuntimeName, { readonly median: number } | { readonly problem: string }>>;
}

export function isTimed<T extends object>(result: T | { readonly problem: string } | undefined): result is T {
  return result !== undefined && !('problem' in result);
}

/** How many times faster than the best of `peers` Lepton was; undefined where either is missing. */
export function ahead(results: Row['results'], peers: readonly RuntimeName[] = webgpuPeers): number | undefined {
  const own = results.lepton;
  const times = peers.flatMap((name) => {
    const result = results[name];
    return isTimed(result) ? [result.median] : [];
  });
  return isTimed(own) && times.length > 0 ? Math.min(...times) / own.median : undefined;
}
