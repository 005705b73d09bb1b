// What the store reads out of HTTP: versions of a file, answers to ranged requests, pieces of a body.
// Cross-origin answers hide most headers (of those used here Content-Length and Last-Modified are always
// visible, ETag and Content-Range only if exposed), so that an absent header contradicts nothing.

import type { BufferPool } from './buffers';

/** What tells one state of a file on a server from another. */
export interface Version {
  /** Length of the whole file in bytes. */
  readonly total: number | undefined;
  /** A strong ETag or, where there is none, a Last-Modified date. */
  readonly validator: string | undefined;
}

/** One try failed: no answer, a refusal, or a body that broke off. */
export class Interruption extends Error {
  readonly status: number | undefined;
  /** Whether another try may go better. */
  readonly passing: boolean;

  constructor(message: string, { status, cause, passing = true }: InterruptionOptions = {}) {
    super(message, { cause });
    this.status = status;
    this.passing = passing;
  }
}

interface InterruptionOptions {
  status?: number;
  cause?: unknown;
  passing?: boolean;
}

// Servers that are overloaded or restarting.
const passingStatuses: readonly number[] = [408, 425, 429, 500, 502, 503, 504];

export function assertOk(response: Response): void {
  const { ok, status } = response;
  if (ok) return;
  dropBody(response);
  const passing = passingStatuses.includes(status);
  throw new Interruption(`the server answered HTTP ${status}`, { status, passing });
}

/** Lets go of an answer whose body nobody wants. */
export function dropBody(response: Response): void {
  response.body?.cancel().catch(() => undefined);
}

/** The version of the file that a 200 or 206 answer speaks of; `start` is where its body begins. */
export function versionOf(response: Response, start: number): Version {
  return { total: totalOf(response, start), validator: validatorOf(response.headers) };
}

/** Whether a 200 answer carries the file we know. Without any validator its length must do. */
export function isSameVersion(known: Version, response: Response): boolean {
  const { total, validator } = versionOf(response, 0);
  const told = validator !== undefined || total !== undefined;
  return told && known.validator === validator && known.total === total;
}

/** Whether a 206 answer continues the file we know at `start`. */
export function continues(known: Version, response: Response, start: number): boolean {
  const range = contentRange(response.headers);
  if (range && range.start !== start) return false;
  const total = totalOf(response, start);
  if (total !== undefined && known.total !== undefined && total !== known.total) return false;
  // RFC 9110 lets a 206 leave out Last-Modified, and an ETag that we never saw says nothing.
  const header = known.validator?.startsWith('"') ? 'etag' : 'last-modified';
  const now = response.headers.get(header);
  return known.validator === undefined || now === null || now === known.validator;
}

function totalOf(response: Response, start: number): number | undefined {
  const { headers, status } = response;
  if (status === 206) {
    const total = contentRange(headers)?.total;
    if (total !== undefined) return total;
  }
  // Content-Length counts the bytes on the wire, and the body is already decoded.
  if (headers.has('content-encoding')) return undefined;
  const length = headers.get('content-length');
  return length === null ? undefined : start + Number(length);
}

function validatorOf(headers: Headers): string | undefined {
  const etag = headers.get('etag');
  if (etag && !etag.startsWith('W/')) return etag;
  return headers.get('last-modified') ?? undefined;
}

function contentRange(headers: Headers): { start: number; total: number | undefined } | undefined {
  const match = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers.get('content-range') ?? '');
  return match ? { start: Number(match[1]), total: match[2] === '*' ? undefined : Number(match[2]) } : undefined;
}

const scratchBytes = 1 << 18;

/**
 * The body's bytes in order. A piece is valid only until the next is asked for: a BYOB reader fills one
 * reused buffer, so that a long download leaves no garbage. Throws Interruption if the connection breaks.
 */
export async function* pieces(response: Response, pool: BufferPool): AsyncGenerator<Uint8Array, void> {
  if (!response.body) return;
  let scratch = pool.take(scratchBytes);
  const read = bodyReader(response.body, () => scratch);
  try {
    for (;;) {
      let piece: ReadableStreamReadResult<Uint8Array<ArrayBuffer>>;
      try {
        piece = await read.next();
      } catch (cause) {
        throw new Interruption('the connection broke', { status: response.status, cause });
      }
      if (read.byob && piece.value) scratch = piece.value.buffer;
      if (piece.done) return;
      yield piece.value;
    }
  } finally {
    pool.give(scratch);
    read.cancel();
  }
}

function bodyReader(body: ReadableStream<Uint8Array<ArrayBuffer>>, scratch: () => ArrayBuffer) {
  const cancel = (reader: ReadableStreamGenericReader) => void reader.cancel().catch(() => undefined);
  try {
    const reader = body.getReader({ mode: 'byob' });
    return { byob: true, next: () => reader.read(new Uint8Array(scratch())), cancel: () => cancel(reader) };
  } catch {
    // WebKit's response bodies were not byte streams for long.
    const reader = body.getReader();
    return { byob: false, next: () => reader.read(), cancel: () => cancel(reader) };
  }
}
