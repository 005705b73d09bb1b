// The arithmetic on manifests, and which files go when room is needed.

import { describe, expect, test } from 'vitest';
import { chunkSpan, type Manifest, recordedBytes, resumable } from './manifest';
import { chooseEvictions } from './quota';

function manifest(change: Partial<Manifest>): Manifest {
  return {
    id: 'id',
    url: 'https://example.org/model.onnx',
    chunkBytes: 100,
    size: 250,
    validator: '"v1"',
    digests: ['a', 'b', 'c'],
    integrity: {},
    storedAt: 0,
    lastUsedAt: 0,
    ...change,
  };
}

test('chunks span the file, the last one short', () => {
  expect([0, 1, 2].map((index) => chunkSpan(manifest({}), index))).toEqual([
    { start: 0, end: 100 },
    { start: 100, end: 200 },
    { start: 200, end: 250 },
  ]);
  expect(chunkSpan(manifest({ size: undefined }), 2)).toEqual({ start: 200, end: 300 });
});

test('recorded bytes are those of the chunks recorded', () => {
  expect(recordedBytes(manifest({}))).toBe(250);
  expect(recordedBytes(manifest({ digests: ['a'] }))).toBe(100);
  expect(recordedBytes(manifest({ size: undefined, digests: ['a', 'b'] }))).toBe(200);
});

describe('a download can be continued', () => {
  test('from the unbroken run of chunks that are recorded and there', () => {
    expect(resumable(manifest({}), [0, 1, 2])?.digests).toEqual(['a', 'b', 'c']);
    expect(resumable(manifest({}), [2, 0])?.digests).toEqual(['a']);
    expect(resumable(manifest({ digests: ['a'] }), [0, 1])?.digests).toEqual(['a']);
  });

  test('not without its first chunk, and not without a validator', () => {
    expect(resumable(manifest({}), [1, 2])).toBeUndefined();
    expect(resumable(manifest({ digests: [] }), [])).toBeUndefined();
    expect(resumable(manifest({ validator: undefined }), [0, 1, 2])).toBeUndefined();
  });
});

describe('room is made', () => {
  const files = [3, 1, 2].map((lastUsedAt) => manifest({ id: String(lastUsedAt), lastUsedAt }));
  const chosen = (bytes: number) => chooseEvictions(files, bytes)?.map((file) => file.id);

  test('by what was used longest ago, and no more than needed', () => {
    expect(chosen(0)).toEqual([]);
    expect(chosen(1)).toEqual(['1']);
    expect(chosen(250)).toEqual(['1']);
    expect(chosen(251)).toEqual(['1', '2']);
    expect(chosen(750)).toEqual(['1', '2', '3']);
  });

  test('not at all where everything together would not do', () => {
    expect(chosen(751)).toBeUndefined();
  });
});
