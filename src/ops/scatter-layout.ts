// How updates are laid over a result: ScatterElements and ScatterND as one loop nest. Updates form rows and
// columns; the indices move a row's elements along some axes of the result, a column stands still there.

import { placeOf } from './axes';

export interface ScatterLayout {
  readonly rows: number;
  /** Elements between the updates of neighbouring rows. */
  readonly updateStep: number;
  /** Coordinates that name one place, and elements between the indices of neighbouring rows. */
  readonly depth: number;
  readonly indexStep: number;
  /** Whether the indices are laid out as the updates are, or one row of indices serves all columns. */
  readonly indexPerColumn: boolean;
  /** The axes that coordinates walk: sizes, and strides in the result. */
  readonly sizes: readonly number[];
  readonly steps: readonly number[];
  readonly columns: {
    readonly dims: readonly number[];
    readonly updateStrides: readonly number[];
    readonly resultStrides: readonly number[];
  };
}

/** Visits every update, row by row: the element of the result it names, and its own position. */
export function targetsOf(
  layout: ScatterLayout,
  indices: ArrayLike<number>,
  visit: (to: number, update: number) => void,
): void {
  const { rows, updateStep, depth, indexStep, indexPerColumn, sizes, steps, columns } = layout;
  const count = columns.dims.reduce((a, b) => a * b, 1);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < count; column++) {
      let rest = column;
      let update = 0;
      let to = 0;
      for (let d = columns.dims.length - 1; d >= 0; d--) {
        const size = columns.dims[d] as number;
        update += (rest % size) * (columns.updateStrides[d] as number);
        to += (rest % size) * (columns.resultStrides[d] as number);
        rest = Math.floor(rest / size);
      }
      const base = (indexPerColumn ? update : 0) + row * indexStep;
      for (let d = 0; d < depth; d++) {
        const [picked, size] = [indices[base + d] as number, sizes[d] as number];
        to += placeOf(picked, size) * (steps[d] as number);
      }
      visit(to, update + row * updateStep);
    }
  }
}
