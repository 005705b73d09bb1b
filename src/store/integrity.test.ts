// The integrity option's form, and the incremental hashers against Node's.

import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { LeptonError } from '../base/errors';
import { checkIntegrity, chunkDigest, createHasher, parseIntegrity } from './integrity';

const data = new Uint8Array(100_000).map((_, i) => i * 7);
const expected = (algorithm: string) => createHash(algorithm).update(data).digest('base64');

test.each(['sha256', 'sha384', 'sha512'] as const)('%s is read, and hashed piece by piece', (algorithm) => {
  const digest = expected(algorithm);
  expect(parseIntegrity(`${algorithm}-${digest}`)).toEqual({ algorithm, digest });
  const hasher = createHasher(algorithm);
  for (let at = 0; at < data.length; at += 777) hasher.update(data.subarray(at, at + 777));
  expect(hasher.digest()).toBe(digest);
});

test('a chunk has a SHA-256', async () => {
  expect(await chunkDigest(data)).toBe(expected('sha256'));
});

test.each([
  '',
  'sha256',
  'sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=',
  `md5-${expected('md5')}`,
  `sha512-${expected('sha256')}`,
  `sha256-${expected('sha256').slice(4)}`,
  `sha256-${expected('sha256')} sha256-${expected('sha256')}`,
  `SHA256-${expected('sha256')}`,
  'sha256-=====',
])('"%s" is INVALID_ARGUMENT', (text) => {
  expect(() => parseIntegrity(text)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
});

test('a mismatch names both digests', () => {
  const wanted = parseIntegrity(`sha256-${expected('sha256')}`);
  expect(() => checkIntegrity('https://example.org/m', wanted, wanted.digest)).not.toThrow();
  const other = createHash('sha256').update('other').digest('base64');
  const mismatch = () => checkIntegrity('https://example.org/m', wanted, other);
  expect(mismatch).toThrow(LeptonError);
  expect(mismatch).toThrow(expect.objectContaining({ code: 'INTEGRITY_MISMATCH' }));
  for (const part of ['https://example.org/m', `sha256-${wanted.digest}`, `sha256-${other}`]) {
    expect(mismatch).toThrow(part);
  }
});
