// Plain data survives the way through bytes, with the numbers that JSON lacks and byte arrays of any length.

import { expect, test } from 'vitest';
import { fromBytes, toBytes } from './plain-data';

test('comes back as it went in', () => {
  const value = {
    name: 'plan "ü"',
    constants: { a: Number.POSITIVE_INFINITY, b: Number.NEGATIVE_INFINITY, c: -0, d: 1e-40, e: Number.NaN },
    list: [true, null, { nested: [] }],
    bytes: [new Uint8Array(), Uint8Array.of(1, 2, 3), new Uint8Array(300).fill(7)],
  };
  expect(fromBytes(toBytes(value))).toEqual(value);
});

test('a property that is undefined is left out', () => {
  expect(fromBytes(toBytes({ uniform: undefined, kind: 'dispatch' }))).toEqual({ kind: 'dispatch' });
});
