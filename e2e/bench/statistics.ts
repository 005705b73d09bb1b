// The few statistics that the benchmark quotes.

/** @param q from 0 to 1; linear between the two nearest, as NumPy does */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) * q;
  const below = sorted[Math.floor(at)];
  const above = sorted[Math.ceil(at)];
  if (below === undefined || above === undefined) throw new Error('There is no quantile of nothing.');
  return below + (above - below) * (at - Math.floor(at));
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

export interface Summary {
  /** Milliseconds. */
  readonly median: number;
  readonly quartiles: readonly [number, number];
  readonly rounds: number;
}

export function summarise(values: readonly number[]): Summary {
  return {
    median: median(values),
    quartiles: [quantile(values, 0.25), quantile(values, 0.75)],
    rounds: values.length,
  };
}
