// The page's side of the operator tests: one device, all cases of one operator at a call.

import { type Device, openDevice } from '../../src/gpu/device';
import { casesOf } from './cases';
import { checkCase } from './harness';

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
