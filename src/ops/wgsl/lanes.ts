// How shaders that work on rows (softmax, normalisation) deal a workgroup out: `lanes` invocations to a row,
// and as many rows as make 64 invocations. One lane a row needs no workgroup memory.

import { ceilDiv } from '../../base/shape';

export interface LaneLayout {
  /** Rows of a workgroup. */
  readonly rows: number;
  /** Invocations of a workgroup. */
  readonly invocations: number;
  /** Elements of workgroup memory, those of the second step included. */
  readonly slots: number;
  /** The shader's overrides. */
  readonly constants: Readonly<Record<string, number>>;
}

/** @param lanes 1, 8, 64 or 256 */
export function laneLayout(lanes: number): LaneLayout {
  const rows = Math.max(1, 64 / lanes);
  const invocations = lanes * rows;
  const radix = lanes > 64 ? 16 : 8;
  const [slots, joined_slots] = lanes > 1 ? [invocations, invocations / radix] : [1, 1];
  return { rows, invocations, slots: slots + joined_slots, constants: { lanes, rows, radix, slots, joined_slots } };
}

/** Rows that `rows` cost as much as: hardware of any kind runs at least four invocations at a time. */
export function busyRows(rows: number, lanes: number): number {
  return lanes > 1 ? rows : 4 * Math.ceil(rows / 4);
}

/** The choice of lanes for rows that are held in registers, sixteen elements to an invocation. */
export const rowLanes = {
  space: { lanes: [64, 256, 8, 1] },
  fit: (length: number, lanes: number) => lanes <= Math.max(8, ceilDiv(length, 4)),
};

/** What such rows come to: `steps` of sixteen elements that a lane takes; one where a whole row stays in registers. */
export function rowWork(rows: number, length: number, lanes: number) {
  const layout = laneLayout(lanes);
  const workgroups = ceilDiv(rows, layout.rows);
  return {
    workgroups,
    invocations: workgroups * layout.invocations,
    slots: layout.slots,
    steps: ceilDiv(ceilDiv(length, 4), 4 * lanes),
    busy: busyRows(rows, lanes),
  };
}
