// Reused buffers: which one is taken, and how long what is in it can be had.

import { expect, test } from 'vitest';
import { bufferPool } from './buffers';

const filled = (value: number, length = 4) => new Uint8Array(length).fill(value).buffer;
const file = {};

test('gives out what was handed back, by size', () => {
  const pool = bufferPool();
  const [small, large] = [pool.take(4), pool.take(8)];
  pool.give(small);
  pool.give(large);
  expect(pool.take(8)).toBe(large);
  expect(pool.take(8)).not.toBe(large);
  expect(pool.take(4)).toBe(small);
});

test('remembers what the last two began with, and takes others first', () => {
  const pool = bufferPool();
  const plain = filled(9);
  for (const index of [0, 1]) pool.give(filled(index), { of: file, index, length: 3 });
  pool.give(plain);
  expect(pool.recall(file, 0)).toEqual(Uint8Array.of(0, 0, 0));
  expect(pool.recall(file, 1)).toEqual(Uint8Array.of(1, 1, 1));
  expect(pool.recall(file, 2)).toBeUndefined();
  expect(pool.recall({}, 0)).toBeUndefined();
  expect(pool.take(4)).toBe(plain);
  expect(pool.take(4)).toEqual(filled(0)); // a new one
  expect(pool.recall(file, 0)).toBeDefined();
});

test('forgets the oldest, whose buffer is taken again', () => {
  const pool = bufferPool();
  const oldest = filled(0);
  pool.give(oldest, { of: file, index: 0, length: 4 });
  for (const index of [1, 2]) pool.give(filled(index), { of: file, index, length: 4 });
  expect(pool.recall(file, 0)).toBeUndefined();
  expect(pool.recall(file, 2)).toEqual(new Uint8Array(filled(2)));
  expect(pool.take(4)).toBe(oldest);
});
