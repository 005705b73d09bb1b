// What a step reports: the numbers for the page, and whether the weights could take the step at all.

import { LeptonError } from '../base/errors';
import { decode } from '../base/ndarray';
import type { CompileSpec } from '../nn/types';
import type { ReportLayout } from '../train/step';
import type { BatchReport } from './training-protocol';

/** What messages about numbers that are not finite end with in mixed precision. */
const inHalves = ' In mixed precision, numbers beyond 65504 are infinite.';

export interface StepReport {
  readonly batch: BatchReport;
  /** The first weight whose gradient is not finite, where no smaller scale of the loss is left: nothing has changed then. */
  readonly broken?: string;
}

/** @param bytes float32, as the layout says */
export function readReport({ metrics, gradients, length }: ReportLayout, bytes: Uint8Array): StepReport {
  const numbers = Array.from(decode('float32', [length], bytes).data);
  const retries = gradients?.nextScale !== undefined && (numbers[gradients.nextScale] as number) >= 1;
  const broken = retries
    ? undefined
    : gradients?.weights.find((_, i) => !Number.isFinite(numbers[gradients.start + i]));
  return {
    batch: {
      loss: numbers[0] as number,
      losses: numbers.slice(1, 1 + metrics.length),
      metrics: metrics.map((list) => list.map(({ start, length: count }) => numbers.slice(start, start + count))),
    },
    ...(broken !== undefined && { broken }),
  };
}

/** @throws NOT_FINITE with the weight */
export function checkGradients({ batch: { loss }, broken: weight }: StepReport, { mixedPrecision }: CompileSpec): void {
  if (weight === undefined) return;
  throw new LeptonError(
    'NOT_FINITE',
    `The loss is ${loss}, but the gradient of the weight "${weight}" is not finite. The weights are as they were before ` +
      'this step. Try a smaller learning rate, or look for extreme numbers in the data.' +
      (mixedPrecision ? inHalves : ''),
    { details: { loss, weight } },
  );
}

/** NOT_FINITE of a loss. @param culprit the first input, weight or node whose value is not finite */
export function notFinite(
  loss: number,
  culprit: { readonly op: string; readonly name: string } | undefined,
  compile: CompileSpec | undefined,
): LeptonError {
  const what = culprit
    ? `The first to be so is ${culprit.op === 'input' || culprit.op === 'weight' ? `the ${culprit.op}` : `what ${culprit.op} computed,`} "${culprit.name}".`
    : 'Nothing in the forward pass explains it: gradients of an earlier step may have been too large.';
  return new LeptonError(
    'NOT_FINITE',
    `The loss is ${loss}. ${what} The weights are as they were before this step. ` +
      'Try a smaller learning rate, clip gradients, or look for such numbers in the data.' +
      (compile?.mixedPrecision ? inHalves : ''),
    { details: { loss, ...(culprit && { op: culprit.op, node: culprit.name }) } },
  );
}
