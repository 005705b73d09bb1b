// How shaders that work on rows (softmax, normalisation, reductions) deal a workgroup out: `lanes` invocations to a row,
// and as many rows as make 64 invocations, or less where there are few. One lane a row needs no workgroup memory.

import { ceilDiv } from '../../base/shape';

export interface LaneLayout {
  readonly lanes: number;
  /** Rows of a workgroup. */
  readonly rows: number;
  /** Invocations of a workgroup. */
  readonly invocations: number;
  /** Lanes whose findings are joined at a time: about the square root of their number. */
  readonly radix: number;
}

/**
 * Invocations of a workgroup where none needs another, `count` in all: as few as keep a GPU's lanes half busy, where more
 * would leave most of its cores idle.
 */
function aloneTogether(count: number): number {
  return count <= 512 ? 16 : 64;
}

/** Items of a workgroup that gives each `rows` invocations. */
export function columnsOf(rows: number, count: number): number {
  return rows === 1 ? aloneTogether(count) : 64 / rows;
}

/**
 * @param lanes 1, 8, 64 or 256
 * @param count rows in all
 */
export function laneLayout(lanes: number, count: number): LaneLayout {
  const rows = Math.max(1, columnsOf(lanes, count));
  return { lanes, rows, invocations: lanes * rows, radix: lanes > 64 ? 16 : 8 };
}

/** Rows that `rows` cost as much as: hardware of any kind runs at least four invocations at a time. */
export function busyRows(rows: number, lanes: number): number {
  return lanes > 1 ? rows : 4 * Math.ceil(rows / 4);
}

/**
 * How many times its own size a row's memory takes to load where lanes go through rows alone: those of neighbours lie
 * apart, and more comes with each element than is used at once.
 */
export function loadsApart(length: number, lanes: number): number {
  return lanes === 1 && length > 16 ? 1.5 : 1;
}

/** The choice of lanes for rows that are held in registers, sixteen elements to an invocation. */
export const rowLanes = {
  space: { lanes: [64, 256, 8, 1] },
  fit: (length: number, lanes: number) => lanes <= Math.max(8, ceilDiv(length, 4)),
};

/** What such rows come to: `steps` of sixteen elements that a lane takes; one where a whole row stays in registers. */
export function rowWork(rows: number, length: number, lanes: number) {
  return {
    workgroups: ceilDiv(rows, laneLayout(lanes, rows).rows),
    steps: ceilDiv(ceilDiv(length, 4), 4 * lanes),
    busy: busyRows(rows, lanes),
  };
}
