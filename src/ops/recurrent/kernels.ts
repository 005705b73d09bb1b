// The kernels of lepton.Recurrence. Small nets run all their steps in one dispatch, a workgroup for each sequence
// and direction: no step waits for a launch. Large ones take a dispatch a step, over many workgroups.

import type { Kernel } from '../../ir/kernel';
import type { NodeView } from '../../ir/node-view';
import type { Recurrence } from './problem';
import { residentKernel } from './resident';
import { stepKernel } from './step';
import { workgroupKernel } from './workgroup';

export function recurrenceKernels<A>(of: (n: NodeView<A>) => Recurrence): Kernel<A>[] {
  return [residentKernel(of, true), residentKernel(of, false), workgroupKernel(of), stepKernel(of)];
}
