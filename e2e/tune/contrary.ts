// A tuner that decides without measuring, for the candidate that was estimated last of all.

import type { Choice, Tuning } from '../../src/base/tuning';
import { Tuner } from '../../src/worker/tuner';
import type { Problem } from '../../src/worker/tuning-problems';

export class Contrary extends Tuner {
  private readonly contrary = new Map<string, Choice>();

  override get tuning(): Tuning {
    return { rates: undefined, choices: this.contrary };
  }

  override async measure(problems: readonly Problem[]): Promise<void> {
    for (const { signature, shortlist } of problems) {
      const last = shortlist(100).at(-1);
      if (last) this.contrary.set(signature, { kernel: last.kernel, tunables: last.tunables, time: 1 });
    }
  }
}
