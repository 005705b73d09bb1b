// The logs of an epoch from the reports of its batches.

import { finish } from '../../base/metric-totals';
import type { CompileSpec, Named } from '../../nn/types';
import type { BatchReport } from '../../worker/training-protocol';

/** Loss and metrics; numbers, but for metrics that are tables. */
export type Results = Record<string, number | number[][]>;

export class Totals {
  private samples = 0;
  private loss = 0;
  private readonly losses: number[] = [];
  private readonly metrics: (readonly (readonly number[])[])[] = [];
  /** Of each output's metrics, in the results. */
  private readonly names: readonly (readonly string[])[];

  /** @param outputs names of the model's outputs */
  constructor(
    private readonly compile: CompileSpec,
    private readonly outputs: readonly string[],
  ) {
    this.names = compile.metrics.map((list, i) => namesOf(list, outputs.length > 1 ? `${outputs[i]}_` : ''));
  }

  /** Adds a batch; answers its own logs. */
  add(report: BatchReport, samples: number): Results {
    this.samples += samples;
    this.loss += report.loss * samples;
    report.losses.forEach((loss, i) => {
      this.losses[i] = (this.losses[i] ?? 0) + loss * samples;
    });
    report.metrics.forEach((list, i) => {
      const before = this.metrics[i];
      this.metrics[i] = list.map((totals, k) => totals.map((total, j) => total + (before?.[k]?.[j] ?? 0)));
    });
    return this.resultsOf(report.loss, report.losses, report.metrics);
  }

  results(): Results {
    const share = 1 / Math.max(1, this.samples);
    return this.resultsOf(
      this.loss * share,
      this.losses.map((loss) => loss * share),
      this.metrics,
    );
  }

  private resultsOf(loss: number, losses: readonly number[], metrics: readonly (readonly (readonly number[])[])[]) {
    const several = this.outputs.length > 1;
    const results: Results = { loss };
    this.outputs.forEach((output, i) => {
      if (several) results[`${output}_loss`] = losses[i] ?? 0;
      this.compile.metrics[i]?.forEach((named, k) => {
        results[this.names[i]?.[k] as string] = finish(named, metrics[i]?.[k] ?? []);
      });
    });
    return results;
  }
}

/** As Keras numbers them: 'precision', 'precision_1'. */
function namesOf(metrics: readonly Named[], prefix: string): string[] {
  const seen = new Map<string, number>();
  return metrics.map(({ name }) => {
    const count = seen.get(name) ?? 0;
    seen.set(name, count + 1);
    return prefix + (count === 0 ? name : `${name}_${count}`);
  });
}

/** What callbacks get: the numbers among them. */
export function numbersOf(results: Results, prefix = ''): Record<string, number> {
  const numbers = Object.entries(results).filter((entry): entry is [string, number] => typeof entry[1] === 'number');
  return Object.fromEntries(numbers.map(([name, value]) => [prefix + name, value]));
}
