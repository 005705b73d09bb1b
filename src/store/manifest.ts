// What the store records about one file, as plain data, and the arithmetic on it. A manifest under the
// key `file` means that every chunk was stored; under `part`, that the first `digests.length` were sent
// to the store by a download that has not ended. Invariant: all chunks but the last have `chunkBytes`.

import type { IntegrityAlgorithm } from './integrity';

export interface Manifest {
  /** Names the chunks' keys; never used again for another download. */
  readonly id: string;
  /** Absolute, without a fragment: the file's identity. */
  readonly url: string;
  readonly chunkBytes: number;
  /** Length of the whole file in bytes; undefined while a download has not said. */
  readonly size: number | undefined;
  /** A strong ETag (quoted) or a Last-Modified date, for If-Range. */
  readonly validator: string | undefined;
  /** SHA-256 of each chunk, base64. */
  readonly digests: readonly string[];
  /** Digests of the whole file, base64, as far as somebody asked for them. */
  readonly integrity: Partial<Record<IntegrityAlgorithm, string>>;
  /** Bytes of what was derived from the file and is stored beside it. */
  readonly derivedBytes?: number;
  /** Milliseconds since the epoch. */
  readonly storedAt: number;
  readonly lastUsedAt: number;
}

/** What was made from a file and is stored beside it, under one key. All chunks but the last have `chunkBytes`. */
export interface DerivedRecord {
  readonly size: number;
  readonly chunkBytes: number;
  /** SHA-256 of each chunk, base64. */
  readonly digests: readonly string[];
  /** Milliseconds since the epoch. */
  readonly storedAt: number;
}

/** A manifest whose download has ended. */
export type CompleteManifest = Manifest & { readonly size: number };

/** One stored file, as `list()` tells it. Times are milliseconds since the epoch. */
export interface CachedFile {
  readonly url: string;
  /** Of the file, and of plans and packed weights made from it. */
  readonly bytes: number;
  readonly storedAt: number;
  readonly lastUsedAt: number;
}

/** Bytes [start, end) of a file that chunk `index` holds. */
export function chunkSpan(
  manifest: Pick<Manifest, 'chunkBytes' | 'size'>,
  index: number,
): { start: number; end: number } {
  const start = index * manifest.chunkBytes;
  return { start, end: Math.min(start + manifest.chunkBytes, manifest.size ?? Number.POSITIVE_INFINITY) };
}

/** Bytes that the recorded chunks hold. */
export function recordedBytes(manifest: Manifest): number {
  return Math.min(manifest.digests.length * manifest.chunkBytes, manifest.size ?? Number.POSITIVE_INFINITY);
}

/** Bytes that go when the file goes. */
export function heldBytes(manifest: Manifest): number {
  return recordedBytes(manifest) + (manifest.derivedBytes ?? 0);
}

/**
 * What of an interrupted download can be continued, given the indices of the chunks that are really
 * there: the unbroken run from the file's start. Undefined when nothing can be: no chunk, or no
 * validator by which a server could say that the file is still the same.
 */
export function resumable(part: Manifest, present: readonly number[]): Manifest | undefined {
  if (part.validator === undefined) return undefined;
  const there = new Set(present);
  let count = 0;
  while (count < part.digests.length && there.has(count)) count++;
  return count === 0 ? undefined : { ...part, digests: part.digests.slice(0, count) };
}

export function describe(manifest: CompleteManifest): CachedFile {
  const { url, storedAt, lastUsedAt } = manifest;
  return { url, bytes: heldBytes(manifest), storedAt, lastUsedAt };
}
