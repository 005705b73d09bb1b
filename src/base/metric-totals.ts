// Metrics from the counts and sums that nn/metrics.ts has every batch give, added up over an epoch.

interface Named {
  readonly name: string;
  readonly config?: { readonly [option: string]: unknown };
}

/** A number; for confusionMatrix the counts, by true class and then by what was said. NaN where nothing was counted. */
export function finish({ name, config }: Named, totals: readonly number[]): number | number[][] {
  const [first = 0, second = 0] = totals;
  switch (name) {
    case 'rootMeanSquaredError':
      return Math.sqrt(first / second);
    case 'precision':
    case 'recall':
    case 'f1':
      return mean(thirds(totals).map(([tp, fp, fn]) => rate(name, tp, fp, fn)));
    case 'auc':
      return areaUnder(totals, Number(config?.numThresholds ?? 200));
    case 'confusionMatrix': {
      const classes = Math.sqrt(totals.length);
      return Array.from({ length: classes }, (_, i) => totals.slice(i * classes, (i + 1) * classes));
    }
    case 'r2': {
      const count = totals.at(-1) as number;
      const columns = thirds(totals.slice(0, -1));
      return mean(columns.map(([sum, squares, errors]) => 1 - errors / (squares - (sum * sum) / count)));
    }
    default:
      return first / second;
  }
}

/** Three runs of equal length, element by element. */
function thirds(list: readonly number[]): [number, number, number][] {
  const n = list.length / 3;
  return list.slice(0, n).map((value, i) => [value, list[n + i] as number, list[2 * n + i] as number]);
}

function rate(name: string, tp: number, fp: number, fn: number): number {
  if (tp === 0) return 0;
  if (name === 'f1') return (2 * tp) / (2 * tp + fp + fn);
  return tp / (tp + (name === 'precision' ? fp : fn));
}

const mean = (list: readonly number[]) => list.reduce((a, b) => a + b, 0) / list.length;

/** Of the receiver operating characteristic, by trapezoids between thresholds that rise. */
function areaUnder(totals: readonly number[], n: number): number {
  const [all, none] = totals.slice(2 * n) as [number, number];
  let area = 0;
  for (let i = 1; i < n; i++) {
    const [tp0, tp1, fp0, fp1] = [totals[i - 1], totals[i], totals[n + i - 1], totals[n + i]] as [
      number,
      number,
      number,
      number,
    ];
    area += ((fp0 - fp1) * (tp0 + tp1)) / 2;
  }
  return area / (all * none);
}
