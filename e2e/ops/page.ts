// The page's side of the operator tests: one device, all cases of one operator, its own or random ones, at a call.

import { type Device, openDevice } from '../../src/gpu/device';
import { casesOf } from './cases';
import { checkCase } from './harness';
import { checkProperty, type PropertyOptions } from './properties';

export interface OpReport {
  /** "case: what disagrees", empty when all is well. */
  readonly failures: string[];
  /** How many configurations of kernels ran. */
  readonly runs: number;
}

let device: Promise<Device> | undefined;

export async function checkOp(op: string): Promise<OpReport> {
  device ??= openDevice(navigator.gpu);
  const failures: string[] = [];
  let runs = 0;
  for (const testCase of casesOf.get(op) ?? []) {
    try {
      const report = await checkCase(await device, op, testCase);
      runs += report.kernels.length;
      failures.push(...report.failures.map((f) => `${testCase.name}: ${f}`));
    } catch (error) {
      failures.push(`${testCase.name}: ${(error as Error).message}`);
    }
  }
  return { failures, runs };
}

/** What the smallest failing one of random cases has wrong, or null. */
export async function checkRandomCases(op: string, options: PropertyOptions): Promise<string | null> {
  device ??= openDevice(navigator.gpu);
  return (await checkProperty(await device, op, options)) ?? null;
}
