// The one signature of every way to search: candidates in, best guess first, measured ones out. What a candidate
// is, and how it is timed, the caller knows; times are milliseconds everywhere.

/** Gets candidates ready, several at once. They are timed one after the other: two would measure each other. */
export interface Runner<C> {
  /** Undefined where the candidate cannot run. */
  prepare(candidate: C): Promise<Prepared | undefined>;
}

export interface Prepared {
  /**
   * Milliseconds of one execution, from as many as it takes to trust that.
   * @param limit once it is clear that one takes longer than this, a rough answer will do
   */
  measure(limit: number): Promise<number>;
  dispose(): void;
}

export interface TuneOptions {
  /** Milliseconds that the search may take; what is begun is finished. */
  readonly budget: number;
  /** The clock of the budget, in milliseconds. */
  readonly now: () => number;
  /** Ends the search after the measurement at hand. */
  readonly signal: AbortSignal;
}

export interface Trial<C> {
  readonly candidate: C;
  /** Milliseconds of one execution. */
  readonly time: number;
}

/** Resolves to what was measured, the winner first; to nothing where it was aborted too early to tell. */
export type Strategy = <C>(
  space: readonly C[],
  runner: Runner<C>,
  options: TuneOptions,
) => Promise<readonly Trial<C>[]>;
