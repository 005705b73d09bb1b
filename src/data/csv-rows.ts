// CSV text as it arrives → rows of fields. The text is handed to the parser in pieces that end where a row does, so that a
// file is never held whole. Every row knows the line that it begins on.

import { dsvFormat } from 'd3-dsv';
import { LeptonError } from '../base/errors';

export interface CsvRow {
  readonly fields: readonly string[];
  /** From 1. */
  readonly line: number;
}

/** Longest row: without a limit, one quote too many would make the rest of a file one field. */
const longestRow = 1 << 24;

/**
 * The rows, empty lines left out, in lists as they arrive.
 * @param what the file, for errors
 * @throws INVALID_DATA for a quote that is never closed
 */
export async function* csvRows(
  pieces: AsyncIterable<Uint8Array>,
  delimiter: string,
  what: string,
): AsyncGenerator<CsvRow[]> {
  const { parseRows } = dsvFormat(delimiter);
  const decoder = new TextDecoder();
  const delimiterCode = delimiter.charCodeAt(0);
  let pending = '';
  /** Up to where `pending` has been looked through, and the end of its last whole row. */
  let seen = 0;
  let whole = 0;
  let state = fieldStart;
  let line = 1;
  const take = (end: number): CsvRow[] => {
    const rows: CsvRow[] = [];
    parseRows(pending.slice(0, end), (fields) => {
      if (fields.length > 1 || fields[0] !== '') rows.push({ fields, line });
      line += fields.reduce((sum, field) => sum + newlines(field), 1);
      return undefined;
    });
    pending = pending.slice(end);
    seen -= end;
    whole = 0;
    return rows;
  };
  /** A quote opens a field only at its start, and two within it are one of the text: as the parser sees it. */
  const look = () => {
    for (; seen < pending.length; seen++) {
      const c = pending.charCodeAt(seen);
      if (state === quoted) {
        if (c === quoteCode) state = quoteSeen;
      } else if (c === quoteCode && state !== inField) {
        state = quoted;
      } else if (c === newlineCode) {
        state = fieldStart;
        whole = seen + 1;
      } else {
        state = c === delimiterCode || c === returnCode ? fieldStart : inField;
      }
    }
  };
  const unclosed = () =>
    new LeptonError(
      'INVALID_DATA',
      `Line ${line} of ${what} has a row with a quote (") that is never closed, or with more than ${longestRow} characters.`,
      { details: { line } },
    );
  for await (const piece of pieces) {
    pending += decoder.decode(piece, { stream: true });
    look();
    if (whole > 0) yield take(whole);
    else if (pending.length > longestRow) throw unclosed();
  }
  pending += decoder.decode();
  look();
  if (whole > 0) yield take(whole);
  if (state === quoted) throw unclosed();
  if (pending !== '') yield take(pending.length);
}

const quoteCode = 34;
const newlineCode = 10;
const returnCode = 13;
/** Where in a row a character is: before a field, within one without quotes, within quotes, behind a quote within quotes. */
const [fieldStart, inField, quoted, quoteSeen] = [0, 1, 2, 3];

function newlines(text: string): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count++;
  return count;
}
