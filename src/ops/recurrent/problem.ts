// What the kernels of lepton.Recurrence share: the problem they solve and how they count their work.

import { byteSize, deviceType } from '../../base/dtype';
import type { Cost } from '../../ir/kernel';
import type { NodeView } from '../../ir/node-view';
import type { Cell } from './cell';
import type { Sizes } from './reference';

export interface Recurrence extends Sizes {
  readonly cell: Cell;
}

/** Storage buffers that every device lets a shader bind. */
export const bindable = 8;

/** What a barrier costs each invocation on a software adapter, which stops and resumes it, in bytes of `Cost.shared`. */
export const barrierBytes = 80;

export const elementBytes = (n: NodeView) => byteSize(deviceType(n.input(0).dtype));

/** Workgroups as the cost model counts them: of 64 invocations, half of which would keep memory as busy. */
export function fill(workgroups: number, invocations: number): number {
  return Math.ceil((workgroups * invocations) / 32);
}

/** A CPU runs a workgroup on one core. Where there is but one workgroup, what the others could do counts too. */
export function withIdleCores(workgroups: number, cost: Cost): Cost {
  if (workgroups > 1) return cost;
  const { flops, traffic, shared = 0, cleared = 0 } = cost;
  return { ...cost, emulated: flops + operationsPerByte * (traffic + shared + cleared) };
}

/** Operations that a CPU does in the time of moving a byte. */
const operationsPerByte = 7;
