// What the checks of staged models must report, wherever they run.

import { expect } from 'vitest';
import type { LengthsReport, StagedReport } from './check';
import type { StagedModel } from './models';

/** Fifty different lengths, small and large mixed. */
export const fiftyLengths = Array.from({ length: 50 }, (_, i) => 1 + ((i * 37) % 101));

export function expectStaged({ host }: StagedModel, { failures, profiled, listed }: StagedReport): void {
  expect(failures).toEqual([]);
  for (const steps of [profiled, listed]) expect(steps.map((s) => s.op).toSorted()).toEqual(host.toSorted());
  for (const { reason } of [...profiled, ...listed]) expect(reason).toBeTruthy();
}

export function expectLengths({ failures, pipelines, bytesRead }: LengthsReport): void {
  expect(failures).toEqual([]);
  // Short sequences take other variants of some kernels than long ones. Their number has a bound, which the
  // first half of the lengths reaches.
  const last = pipelines.at(-1) as number;
  expect(last).toBeLessThan(50);
  expect(last - (pipelines[24] as number)).toBeLessThanOrEqual(2);
  // Variants that pack the weights differently read them once each.
  expect(bytesRead.at(-1)).toBe(bytesRead[12]);
}
