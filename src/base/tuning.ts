// What measuring has found out about an adapter, as plain data: how fast it is, and which kernel variant won
// for each problem that was measured. It is kept in the store, and the planner chooses by it.

/** Counted from the outside, by small kernels that do nothing else. */
export interface AdapterRates {
  /** Float32 operations a second, a fused multiply-add being two. */
  readonly flops: number;
  /** Bytes a second that a copy reads and writes. */
  readonly bandwidth: number;
  /** Seconds from one dispatch to the next that waits for it. */
  readonly dispatch: number;
}

/** The variant that won for one problem. */
export interface Choice {
  readonly kernel: string;
  readonly tunables: Readonly<Record<string, number>>;
  /** Milliseconds of one execution. */
  readonly time: number;
}

export interface Tuning {
  readonly rates: AdapterRates | undefined;
  /** By signature of the problem: see plan/problem.ts. The longest ago measured comes first. */
  readonly choices: ReadonlyMap<string, Choice>;
}

export type ChosenBy = 'estimate' | 'measurement';
