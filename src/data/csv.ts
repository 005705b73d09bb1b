// Tables in CSV files: numbers as they are, words as the numbers of their categories, what is missing as NaN. A table is
// read once and kept as float32, so that it can be shuffled, split and looked over.

import { LeptonError } from '../base/errors';
import { fromArrays } from './arrays';
import { type CsvRow, csvRows } from './csv-rows';
import { Dataset } from './dataset';
import { type DataSource, pieces } from './source';
import { turns } from './turns';
import type { Rows } from './types';

export interface CsvOptions {
  /** Whether the first row names the columns (default), or the names where it does not; false numbers them '0', '1' … */
  readonly header?: boolean | readonly string[];
  /** One character. Default ','. */
  readonly delimiter?: string;
  /** Columns to learn from, in this order. Default: all that are not labels. */
  readonly features?: readonly string[];
  /** Columns to predict. Without them the data has no `ys`. */
  readonly labels?: string | readonly string[];
  /** What a column holds. Default: numbers where the first 10,000 rows have nothing else in it. */
  readonly types?: Readonly<Record<string, 'number' | 'category'>>;
  /** Fields that mean "not known", which become NaN. Default: '', 'NA', 'N/A', 'NaN', 'nan', 'null', '?'. */
  readonly missing?: readonly string[];
  readonly signal?: AbortSignal;
}

export interface CsvColumn {
  readonly name: string;
  /** The words of a column of categories, sorted: a word's place is its number in the data. */
  readonly categories?: readonly string[];
}

/** A data set that knows its columns. */
export class CsvDataset extends Dataset {
  constructor(
    rows: Rows,
    readonly features: readonly CsvColumn[],
    readonly labels: readonly CsvColumn[],
  ) {
    super(rows);
  }
}

const what = 'the CSV file';
/** Rows that are looked at to tell what the columns hold. */
const sampleRows = 10_000;

/**
 * A table: `xs` is float32 [features], `ys` [labels]: int32 where all labels are categories and none is missing, else
 * float32.
 * @param source an address, a Blob, a response …; text goes in as `{ text }`
 * @throws INVALID_DATA, with line and column, for rows of another length and fields that are no numbers; INVALID_ARGUMENT for
 *   columns that the file lacks; NETWORK, ABORTED
 */
export async function fromCSV(
  source: DataSource | { readonly text: string },
  options: CsvOptions = {},
): Promise<CsvDataset> {
  const { delimiter = ',', signal } = options;
  if (delimiter.length !== 1 || /["\r\n]/.test(delimiter)) {
    throw new LeptonError(
      'INVALID_ARGUMENT',
      `fromCSV(): the delimiter must be one character, but is ${JSON.stringify(delimiter)}.`,
    );
  }
  const data =
    typeof source === 'object' && 'text' in source && typeof source.text === 'string'
      ? new Blob([source.text])
      : source;
  const table = new Table(options);
  const turn = turns();
  for await (const rows of csvRows(pieces(data as DataSource, what, signal), delimiter, what)) {
    table.add(rows);
    await turn();
  }
  return table.finish();
}

class Table {
  private names: readonly string[] | undefined;
  private columns: Column[] = [];
  private features: Column[] = [];
  private labels: Column[] = [];
  private readonly waiting: CsvRow[] = [];
  private readonly missing: ReadonlySet<string>;

  constructor(private readonly options: CsvOptions) {
    this.missing = new Set(options.missing ?? ['', 'NA', 'N/A', 'NaN', 'nan', 'null', '?']);
  }

  add(rows: readonly CsvRow[]): void {
    for (const row of rows) {
      if (!this.names) {
        const { header = true } = this.options;
        const fields = row.fields.map((field) => field.trim());
        this.choose(header === true ? fields : header === false ? fields.map((_, i) => String(i)) : header);
        if (header === true) continue;
      }
      const { length } = this.names as readonly string[];
      if (row.fields.length !== length) {
        throw new LeptonError(
          'INVALID_DATA',
          `Line ${row.line} of ${what} has ${row.fields.length} fields, but there are ${length} columns. Is the delimiter right, and are fields that contain it quoted?`,
          { details: { line: row.line, expected: length, got: row.fields.length } },
        );
      }
      if (this.columns.length > 0) this.keep(row);
      else if (this.waiting.push(row) === sampleRows) this.begin();
    }
  }

  finish(): CsvDataset {
    if (this.columns.length === 0) this.begin();
    const isClass = this.labels.every((column) => column.isCategory && !column.hasMissing);
    const size = this.columns[0]?.length ?? 0;
    const matrix = <T extends Float32Array | Int32Array>(columns: readonly Column[], into: T): T => {
      columns.forEach((column, at) => {
        column.write(into, at, columns.length);
      });
      return into;
    };
    const tensor = (columns: readonly Column[], integers: boolean) => ({
      type: integers ? ('int32' as const) : ('float32' as const),
      dims: [size, columns.length],
      data: matrix(columns, new (integers ? Int32Array : Float32Array)(size * columns.length)),
    });
    const info = (columns: readonly Column[]): CsvColumn[] => columns.map((column) => column.info);
    const whole = fromArrays({
      xs: tensor(this.features, false),
      ...(this.labels.length > 0 && { ys: tensor(this.labels, isClass) }),
    });
    return new CsvDataset(whole.rows, info(this.features), info(this.labels));
  }

  /** Checks the names of the columns against the options. */
  private choose(names: readonly string[]): void {
    this.names = names;
    const { labels = [], features = [], types = {} } = this.options;
    for (const name of [labels, features, Object.keys(types)].flat()) {
      if (!names.includes(name)) {
        throw new LeptonError(
          'INVALID_ARGUMENT',
          `fromCSV(): there is no column "${name}"; there are ${names.join(', ')}.`,
        );
      }
    }
  }

  /** Tells from the rows so far what the columns hold, and keeps them. */
  private begin(): void {
    const names = this.names ?? [];
    const { types = {}, labels = [], features } = this.options;
    this.columns = names.map((name, i) => {
      const isNumber = (row: CsvRow) => {
        const field = (row.fields[i] as string).trim();
        return this.missing.has(field) || !Number.isNaN(Number(field));
      };
      const type = types[name] ?? (this.waiting.every(isNumber) ? 'number' : 'category');
      return new Column(name, type === 'category', this.missing);
    });
    const byName = (list: readonly string[]) => list.map((name) => this.columns[names.indexOf(name)] as Column);
    this.labels = byName([labels].flat());
    this.features = features ? byName(features) : this.columns.filter((column) => !this.labels.includes(column));
    for (const row of this.waiting) this.keep(row);
    this.waiting.length = 0;
  }

  private keep({ fields, line }: CsvRow): void {
    this.columns.forEach((column, i) => {
      column.add((fields[i] as string).trim(), line);
    });
  }
}

/** The values of a column; of categories their numbers in the order in which they were met. */
class Column {
  length = 0;
  hasMissing = false;
  private values = new Float32Array(1024);
  private readonly words = new Map<string, number>();

  constructor(
    private readonly name: string,
    readonly isCategory: boolean,
    private readonly missing: ReadonlySet<string>,
  ) {}

  get info(): CsvColumn {
    return { name: this.name, ...(this.isCategory && { categories: [...this.words.keys()].sort() }) };
  }

  add(field: string, line: number): void {
    if (this.length === this.values.length) {
      const grown = new Float32Array(2 * this.length);
      grown.set(this.values);
      this.values = grown;
    }
    this.values[this.length++] = this.numberOf(field, line);
  }

  /** Every `stride`-th element from `at` on. */
  write(into: Float32Array | Int32Array, at: number, stride: number): void {
    const sorted = new Map(this.info.categories?.map((word, i) => [word, i]));
    const final = Float32Array.from(this.words.keys(), (word) => sorted.get(word) as number);
    for (let i = 0; i < this.length; i++) {
      const value = this.values[i] as number;
      into[at + i * stride] = this.isCategory && !Number.isNaN(value) ? (final[value] as number) : value;
    }
  }

  private numberOf(field: string, line: number): number {
    if (this.missing.has(field)) {
      this.hasMissing = true;
      return Number.NaN;
    }
    if (this.isCategory) {
      let word = this.words.get(field);
      if (word === undefined) {
        word = this.words.size;
        this.words.set(field, word);
      }
      return word;
    }
    const value = Number(field);
    if (!Number.isNaN(value)) return value;
    throw new LeptonError(
      'INVALID_DATA',
      `Line ${line} of ${what}, column "${this.name}": "${field.slice(0, 40)}" is no number. If the column holds words, say so with { types: { ${JSON.stringify(this.name)}: "category" } }; if it means that the value is not known, add it to { missing: […] }.`,
      { details: { line, column: this.name } },
    );
  }
}
