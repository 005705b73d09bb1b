// Where a constant that is mostly zeros has its other elements: what sparse kernels are chosen by and sized with. The
// constant is looked at as a matrix of its first dimension by all others. The elements themselves stay where they are.

import { isFloat } from '../base/dtype';
import type { NDArray } from '../base/ndarray';
import { type Dims, sizeOf } from '../base/shape';

/** Rows × columns of the blocks that are counted. */
export const blockShapes = ['1x4', '4x1', '4x4'] as const;
export type BlockShape = (typeof blockShapes)[number];

/** Blocks with a non-zero, those cut off by an edge included. */
export interface BlockCounts {
  readonly count: number;
  /** By row of blocks. */
  readonly perRow: Uint32Array;
  /** By column of blocks. */
  readonly perColumn: Uint32Array;
}

export interface Pattern {
  readonly rows: number;
  readonly columns: number;
  readonly nonZeros: number;
  readonly perRow: Uint32Array;
  readonly perColumn: Uint32Array;
  readonly blocks: Readonly<Record<BlockShape, BlockCounts>>;
  /** The most non-zeros of any four neighbours that begin at a multiple of four. */
  readonly mostOfFour: { readonly alongRow: number; readonly alongColumn: number };
  /** The non-zeros by their numbers in memory, where there are few of them: kernels may spell them out. */
  readonly places?: readonly number[];
}

/** Fewer zeros than this, and no sparse kernel wins. */
const leastZeros = 0.5;
/** Smaller constants are a handful. */
const leastElements = 64;
/** Non-zeros of which the places are kept. */
const mostPlaces = 640;

/** Whether a constant of this shape can have a pattern. */
export function mayBeSparse(dims: Dims): boolean {
  return dims.length >= 2 && sizeOf(dims) >= leastElements;
}

const ofArrays = new WeakMap<NDArray, Pattern | 'dense'>();

/** Undefined for what is small, no float, or not mostly zeros. */
export function patternOf(array: NDArray): Pattern | undefined {
  if (!isFloat(array.dtype) || !mayBeSparse(array.dims)) return undefined;
  let known = ofArrays.get(array);
  if (!known) {
    const counter = new PatternCounter(array.dims);
    array.data.forEach((value, i) => {
      if (value !== 0) counter.add(i);
    });
    known = counter.pattern() ?? 'dense';
    ofArrays.set(array, known);
  }
  return known === 'dense' ? undefined : known;
}

/** Of bytes [rows, …], at least `columns` a row, that are numbers raised by 128, as products of packed weights have them. */
export function patternOfBytes({ dims, data }: NDArray, columns: number): Pattern | undefined {
  const rows = dims[0] as number;
  const bytes = sizeOf(dims.slice(1));
  if (!mayBeSparse([rows, columns])) return undefined;
  const counter = new PatternCounter([rows, columns]);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      if (data[row * bytes + column] !== raisedZero) counter.add(row * columns + column);
    }
  }
  return counter.pattern();
}

/** What stands for 0 among bytes that are raised. */
export const raisedZero = 128;

const turned = new WeakMap<Pattern, Pattern>();

/** The pattern of the transposed matrix; always the same object for the same pattern. */
export function transposed(pattern: Pattern): Pattern {
  let known = turned.get(pattern);
  if (!known) {
    const { blocks, mostOfFour, ...own } = pattern;
    const turn = ({ count, perRow, perColumn }: BlockCounts) => ({ count, perRow: perColumn, perColumn: perRow });
    known = {
      ...{ rows: own.columns, columns: own.rows, nonZeros: own.nonZeros },
      ...{ perRow: own.perColumn, perColumn: own.perRow },
      blocks: { '1x4': turn(blocks['4x1']), '4x1': turn(blocks['1x4']), '4x4': turn(blocks['4x4']) },
      mostOfFour: { alongRow: mostOfFour.alongColumn, alongColumn: mostOfFour.alongRow },
    };
    turned.set(pattern, known);
    turned.set(known, pattern);
  }
  return known;
}

/** Counts non-zeros that come in the order of memory. */
export class PatternCounter {
  private readonly rows: number;
  private readonly columns: number;
  private nonZeros = 0;
  private readonly perRow: Uint32Array;
  private readonly perColumn: Uint32Array;
  private readonly blocks: Record<BlockShape, BlockCounter>;
  private readonly places: number[] = [];
  private readonly mostOfFour = { alongRow: 0, alongColumn: 0 };
  /** The four neighbours of a row that the last element was one of, and how many of them there were. */
  private four = -1;
  private ofFour = 0;
  /** For each column how many there were in its last four rows. */
  private readonly ofFourRows: Uint8Array;
  private readonly fourRows: Uint32Array;

  constructor(dims: Dims) {
    this.rows = dims[0] as number;
    this.columns = sizeOf(dims.slice(1));
    this.perRow = new Uint32Array(this.rows);
    this.perColumn = new Uint32Array(this.columns);
    this.ofFourRows = new Uint8Array(this.columns);
    this.fourRows = new Uint32Array(this.columns);
    this.blocks = {
      '1x4': new BlockCounter(this.rows, this.columns, 0, 2),
      '4x1': new BlockCounter(this.rows, this.columns, 2, 0),
      '4x4': new BlockCounter(this.rows, this.columns, 2, 2),
    };
  }

  /** @param index of the next element that is not zero */
  add(index: number): void {
    const row = Math.floor(index / this.columns);
    const column = index - row * this.columns;
    if (this.nonZeros++ < mostPlaces) this.places.push(index);
    this.perRow[row] = (this.perRow[row] as number) + 1;
    this.perColumn[column] = (this.perColumn[column] as number) + 1;
    this.blocks['1x4'].add(row, column);
    this.blocks['4x1'].add(row, column);
    this.blocks['4x4'].add(row, column);
    this.addToFours(row, column);
  }

  private addToFours(row: number, column: number): void {
    const { mostOfFour, fourRows, ofFourRows } = this;
    const four = row * Math.ceil(this.columns / 4) + (column >> 2);
    this.ofFour = four === this.four ? this.ofFour + 1 : 1;
    this.four = four;
    mostOfFour.alongRow = Math.max(mostOfFour.alongRow, this.ofFour);
    const rows = (row >> 2) + 1;
    ofFourRows[column] = fourRows[column] === rows ? (ofFourRows[column] as number) + 1 : 1;
    fourRows[column] = rows;
    mostOfFour.alongColumn = Math.max(mostOfFour.alongColumn, ofFourRows[column] as number);
  }

  /** Undefined where too much is not zero: of fours cut off by an edge, two may be more than half. */
  pattern(): Pattern | undefined {
    const { rows, columns, nonZeros, perRow, perColumn, blocks, mostOfFour, places } = this;
    const twoOfFour = Math.min(mostOfFour.alongRow, mostOfFour.alongColumn) <= 2;
    if (nonZeros > (1 - leastZeros) * rows * columns && !twoOfFour) return undefined;
    const known = { rows, columns, nonZeros, perRow, perColumn, blocks, mostOfFour };
    return nonZeros > mostPlaces ? known : { ...known, places };
  }
}

class BlockCounter implements BlockCounts {
  count = 0;
  readonly perRow: Uint32Array;
  readonly perColumn: Uint32Array;
  /** For each column of blocks, the row of blocks after the last one that was counted in it. */
  private readonly counted: Uint32Array;

  /** @param rowShift binary logarithms of a block's size */
  constructor(
    rows: number,
    columns: number,
    private readonly rowShift: number,
    private readonly columnShift: number,
  ) {
    this.perRow = new Uint32Array(Math.ceil(rows / (1 << rowShift)));
    this.perColumn = new Uint32Array(Math.ceil(columns / (1 << columnShift)));
    this.counted = new Uint32Array(this.perColumn.length);
  }

  add(row: number, column: number): void {
    const [y, x] = [row >> this.rowShift, column >> this.columnShift];
    if (this.counted[x] === y + 1) return;
    this.counted[x] = y + 1;
    this.count++;
    this.perRow[y] = (this.perRow[y] as number) + 1;
    this.perColumn[x] = (this.perColumn[x] as number) + 1;
  }
}
