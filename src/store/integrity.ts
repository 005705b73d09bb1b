// Digests: the `integrity` option in the form of Subresource Integrity ("sha256-" + base64 of the whole
// file's digest), an incremental hasher for it, and the per-chunk SHA-256. Invariant: digests are
// canonical base64 strings everywhere, so that equality is string equality.

import { sha256, sha384, sha512 } from '@noble/hashes/sha2.js';
import type { ByteSource } from '../base/bytes';
import { LeptonError } from '../base/errors';

const algorithms = { sha256, sha384, sha512 } as const;
const digestBytes = { sha256: 32, sha384: 48, sha512: 64 } as const;
export type IntegrityAlgorithm = keyof typeof algorithms;

export interface Integrity {
  readonly algorithm: IntegrityAlgorithm;
  readonly digest: string;
}

export interface Hasher {
  readonly algorithm: IntegrityAlgorithm;
  update(bytes: Uint8Array): void;
  /** The digest in base64. Ends the hasher. */
  digest(): string;
}

/** Reads an `integrity` option. Throws INVALID_ARGUMENT if it is not one hash in SRI form. */
export function parseIntegrity(text: string): Integrity {
  const match = /^(sha256|sha384|sha512)-([A-Za-z0-9+/]+={0,2})$/.exec(text);
  if (match) {
    const algorithm = match[1] as IntegrityAlgorithm;
    const bytes = fromBase64(match[2] as string);
    if (bytes?.length === digestBytes[algorithm]) return { algorithm, digest: toBase64(bytes) };
  }
  throw new LeptonError(
    'INVALID_ARGUMENT',
    `integrity is "${text}", but must be "sha256-", "sha384-" or "sha512-" followed by the base64 of the whole file's digest.`,
    { details: { integrity: text } },
  );
}

export function formatIntegrity({ algorithm, digest }: Integrity): string {
  return `${algorithm}-${digest}`;
}

/** Throws INTEGRITY_MISMATCH unless the file's digest is the expected one. */
export function checkIntegrity(url: string, expected: Integrity, digest: string): void {
  if (digest === expected.digest) return;
  const want = formatIntegrity(expected);
  const got = formatIntegrity({ algorithm: expected.algorithm, digest });
  throw new LeptonError(
    'INTEGRITY_MISMATCH',
    `${url} does not have the expected integrity: expected ${want}, got ${got}. Nothing of it was kept. ` +
      'Correct the integrity option, or the file on the server.',
    { details: { url, expected: want, got } },
  );
}

/**
 * Reads a whole file and checks it against an `integrity` option. Throws INVALID_ARGUMENT,
 * INTEGRITY_MISMATCH, ABORTED, and what the source throws.
 */
export async function verifyIntegrity(
  source: ByteSource,
  integrity: string,
  name: string,
  signal?: AbortSignal,
): Promise<void> {
  const expected = parseIntegrity(integrity);
  const hasher = createHasher(expected.algorithm);
  for await (const { bytes } of source.stream(0, source.size ?? Number.POSITIVE_INFINITY, signal)) hasher.update(bytes);
  checkIntegrity(name, expected, hasher.digest());
}

export function createHasher(algorithm: IntegrityAlgorithm): Hasher {
  const hash = algorithms[algorithm].create();
  return {
    algorithm,
    update: (bytes) => void hash.update(bytes),
    digest: () => toBase64(hash.digest()),
  };
}

/** SHA-256 of a chunk in base64. The bytes may be reused once it resolves. */
export async function chunkDigest(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return toBase64(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)));
}

function toBase64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}

function fromBase64(text: string): Uint8Array | undefined {
  try {
    return Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  } catch {
    return undefined; // a wrong length or padding
  }
}
