// Downloads: a whole file into a receiver, and one range of it into memory. Broken connections and
// overloaded servers are tried again, from the byte that was reached. Invariant: bytes of two versions
// of a file never mix; where a server cannot continue the version we have, the receiver starts over.

import { abortError, LeptonError } from '../base/errors';
import type { BufferPool } from './buffers';
import { assertOk, continues, dropBody, Interruption, isSameVersion, pieces, type Version, versionOf } from './http';

export interface Connection {
  readonly url: string;
  readonly fetch: typeof fetch;
  readonly signal: AbortSignal | undefined;
  /** Milliseconds to wait before each further try without progress; after the last one NETWORK is thrown. */
  readonly retryDelays: readonly number[];
  readonly cache: RequestCache;
  readonly pool: BufferPool;
}

export interface Receiver {
  /** The next byte it needs. */
  readonly position: number;
  /** The version its bytes are of; undefined before the first answer. */
  readonly version: Version | undefined;
  /** An answer has come and bytes of this version follow. */
  accept(version: Version): void;
  /** Forgets every byte: `position` is 0 afterwards. Throws if it cannot. */
  restart(): Promise<void>;
  /** Takes the bytes at `position`; they may be overwritten once it resolves. */
  write(bytes: Uint8Array): Promise<void>;
}

/** Brings the receiver to the end of the file. Throws NETWORK, ABORTED, or what the receiver throws. */
export function download(connection: Connection, receiver: Receiver): Promise<void> {
  const reached = () => ({ received: receiver.position, total: receiver.version?.total });
  return persist(connection, reached, (failures) => attempt(connection, receiver, failures === 0));
}

/**
 * Fills `target` with the bytes from `start` of a file of this version. False if the server has no such
 * bytes or another version. Throws NETWORK or ABORTED.
 */
export function fetchRange(
  connection: Connection,
  version: Version,
  start: number,
  target: Uint8Array,
): Promise<boolean> {
  let filled = 0;
  const reached = () => ({ received: filled, total: target.length });
  return persist(connection, reached, async (failures) => {
    filled = 0;
    const range = { first: start, last: start + target.length - 1 };
    const response = await request(connection, range, failures === 0 ? version.validator : undefined);
    const ranged = response.status === 206;
    const other = ranged ? !continues(version, response, start) : versionOf(response, 0).total !== version.total;
    if (response.status === 416 || (response.ok && other)) {
      dropBody(response);
      return false;
    }
    assertOk(response);
    let at = ranged ? start : 0;
    for await (const piece of pieces(response, connection.pool)) {
      const wanted = piece.subarray(Math.max(0, start - at), start + target.length - at);
      target.set(wanted, filled);
      filled += wanted.length;
      at += piece.length;
      if (filled === target.length) return true;
    }
    throw new Interruption('the connection closed early', { status: response.status });
  });
}

async function attempt(connection: Connection, receiver: Receiver, ifRange: boolean): Promise<void> {
  const { position, version } = receiver;
  if (version && position === version.total) return;
  const range = position > 0 ? { first: position } : undefined;
  const response = await request(connection, range, ifRange ? version?.validator : undefined);
  let skip = 0;
  if (range && version) {
    const stale = response.status === 206 && !continues(version, response, position);
    if (stale || response.status === 416) {
      dropBody(response);
      await receiver.restart();
      return attempt(connection, receiver, false);
    }
    if (response.status === 200) {
      // The server ignores Range, or knows that the file has changed.
      if (isSameVersion(version, response)) skip = position;
      else await receiver.restart();
    }
  }
  assertOk(response);
  const ranged = response.status === 206;
  const now = versionOf(response, ranged ? position : 0);
  // A 206 may tell less than the answer before it.
  let total = (ranged ? version?.total : undefined) ?? now.total;
  const validator = (ranged ? version?.validator : undefined) ?? now.validator;
  receiver.accept({ total, validator });
  for await (const piece of pieces(response, connection.pool)) {
    const fresh = piece.subarray(Math.min(skip, piece.length));
    skip -= piece.length - fresh.length;
    if (total !== undefined && receiver.position + fresh.length > total) {
      // Content-Length was that of an encoded body, and Content-Encoding is hidden across origins.
      total = undefined;
      receiver.accept({ total, validator });
    }
    if (fresh.length > 0) await receiver.write(fresh);
    // Pieces already buffered would keep a cancelled download going for a while.
    throwIfStopped(connection);
  }
  if (skip > 0 || (total !== undefined && receiver.position < total)) {
    throw new Interruption('the connection closed early', { status: response.status });
  }
}

/** Repeats `tryOnce` while it throws Interruption, with a pause; any progress starts the count again. */
async function persist<T>(
  connection: Connection,
  reached: () => { received: number; total: number | undefined },
  tryOnce: (failures: number) => Promise<T>,
): Promise<T> {
  let furthest = reached().received;
  for (let failures = 0; ; failures++) {
    try {
      return await tryOnce(failures);
    } catch (error) {
      throwIfStopped(connection);
      if (!(error instanceof Interruption)) throw error;
      const { received, total } = reached();
      if (received > furthest) {
        furthest = received;
        failures = 0;
      }
      const delay = error.passing ? connection.retryDelays[failures] : undefined;
      if (delay === undefined) throw networkError(connection, error, failures + 1, received, total);
      await pause(delay, connection);
    }
  }
}

async function request(
  { url, fetch, signal, cache }: Connection,
  range: { first: number; last?: number } | undefined,
  validator: string | undefined,
): Promise<Response> {
  const headers = new Headers();
  if (range) {
    headers.set('Range', `bytes=${range.first}-${range.last ?? ''}`);
    // Across origins If-Range asks for a preflight that few servers allow; Range alone does not.
    const sameOrigin = new URL(url).origin === globalThis.origin;
    if (validator !== undefined && sameOrigin) headers.set('If-Range', validator);
  }
  try {
    return await fetch(url, { headers, cache, ...(signal ? { signal } : {}) });
  } catch (cause) {
    throw new Interruption('the server could not be reached, or does not allow this page to read it', { cause });
  }
}

function networkError(
  { url }: Connection,
  { message, status, cause, passing }: Interruption,
  tries: number,
  received: number,
  total: number | undefined,
): LeptonError {
  const amount = `${received} of ${total ?? 'an unknown number of'} bytes received`;
  const answer = status === undefined ? 'no answer' : `HTTP ${status}`;
  const advice = passing ? `Given up after ${tries} tries: try again later.` : 'Check the address.';
  return new LeptonError('NETWORK', `Downloading ${url} failed: ${message} (${answer}, ${amount}). ${advice}`, {
    cause,
    details: { url, status, received, total },
  });
}

function throwIfStopped({ signal, url }: Connection): void {
  if (!signal?.aborted) return;
  throw signal.reason instanceof LeptonError ? signal.reason : abortError(signal, `Downloading ${url}`);
}

async function pause(milliseconds: number, connection: Connection): Promise<void> {
  const { signal } = connection;
  await new Promise<void>((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal?.addEventListener('abort', done);
    if (signal?.aborted) done();
  });
  throwIfStopped(connection);
}
