// How shaders that work on rows (softmax, normalisation) deal a workgroup out: `lanes` invocations to a row,
// and as many rows as make 64 invocations. One lane a row needs no workgroup memory.

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
