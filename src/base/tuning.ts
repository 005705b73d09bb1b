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
  /** Where both were measured, the best of the other kind: of dense kernels where this one is sparse, or of sparse ones. */
  readonly rival?: { readonly kernel: string; readonly time: number };
}

export interface Tuning {
  readonly rates: AdapterRates | undefined;
  /** By signature of the problem: see plan/problem.ts. The longest ago measured comes first. */
  readonly choices: ReadonlyMap<string, Choice>;
}

export type ChosenBy = 'estimate' | 'measurement';

/** Of a node whose weights are mostly zeros. */
export interface Sparsity {
  /** Share of zeros among the weights. */
  readonly zeros: number;
  /**
   * The best kernel of the other kind: of those that compute with the zeros where the chosen one leaves them out, else of those
   * that leave them out; and how many times as long as the chosen one it takes, measured where that one was, else
   * estimated. Absent where there is none.
   */
  readonly rival?: { readonly kernel: string; readonly timesSlower: number };
}
