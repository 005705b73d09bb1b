// A step of training as a Plan: the passes, then the planner, with what training keeps as variables.

import type { AdapterProfile } from '../base/adapter';
import { LeptonError } from '../base/errors';
import type { AdapterRates } from '../base/tuning';
import { makePlan } from '../plan/make-plan';
import type { Plan } from '../plan/plan';
import { optimise } from '../transform/optimise';
import { specialise } from '../transform/specialise';
import { type ReportLayout, type StepGraph, type StepRequest, stepGraph } from './step';

export interface StepPlan {
  readonly plan: Plan;
  readonly report: ReportLayout;
}

export interface Target {
  readonly adapter: AdapterProfile;
  /** What the adapter was measured to do, where it was. */
  readonly rates?: AdapterRates | undefined;
}

/** @throws INVALID_ARGUMENT, INVALID_INPUT, UNSUPPORTED_MODEL; UNSUPPORTED_OPERATION for mixed precision without float16 */
export function planStep(request: StepRequest, target: Target): StepPlan {
  const { adapter } = target;
  if (request.compile?.mixedPrecision && !adapter.features.includes('shader-f16')) {
    throw new LeptonError(
      'UNSUPPORTED_OPERATION',
      `The model was compiled with mixedPrecision, but this GPU or browser (${adapter.description || adapter.vendor}) has no ` +
        'float16 (WebGPU feature "shader-f16"): compile without mixedPrecision.',
      { details: { feature: 'shader-f16' } },
    );
  }
  const step = stepGraph(request);
  return { plan: planOf(step, target), report: step.report };
}

export function planOf({ graph, variables }: StepGraph, { adapter, rates }: Target): Plan {
  const ready = optimise(specialise(graph, new Map()), { adapter });
  return makePlan(ready, { adapter, variables, ...(rates && { rates }) });
}
