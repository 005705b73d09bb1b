// What the writer writes the reader reads; what is damaged it refuses, saying where.

import { describe, expect, test } from 'vitest';
import { MemorySource } from '../../e2e/support/memory-source';
import { mulberry32 } from '../../e2e/support/random';
import { LeptonError } from '../base/errors';
import { readSafetensors } from '../read/safetensors';
import { type NamedTensor, writeSafetensors } from './safetensors';

const float = (name: string, dims: readonly number[], values: readonly number[]): NamedTensor => ({
  ...{ name, dims, dtype: 'float32' },
  bytes: new Uint8Array(Float32Array.from(values).buffer),
});

const tensors: readonly NamedTensor[] = [
  { name: 'flags', dtype: 'bool', dims: [3], bytes: Uint8Array.from([1, 0, 1]) },
  float('dense/kernel', [2, 2], [1, 2, 3, 4]),
  float('scalar', [], [5]),
  float('empty', [0, 4], []),
  { name: '__proto__', dtype: 'int64', dims: [1], bytes: new Uint8Array(BigInt64Array.from([7n]).buffer) },
];

const read = (bytes: Uint8Array, sized = true) => readSafetensors(new MemorySource(bytes, sized));

/** A file of this header, written as it stands, and `data` bytes. */
function file(header: unknown, data = 0): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const out = new Uint8Array(8 + text.length + data);
  new DataView(out.buffer).setBigUint64(0, BigInt(text.length), true);
  out.set(text, 8);
  return out;
}

describe('safetensors', () => {
  test.each([true, false])('reads what was written (length known: %s)', async (sized) => {
    const bytes = writeSafetensors(tensors, { epoch: '3', päth: '√' });
    const { tensors: got, metadata } = await read(bytes, sized);
    expect(metadata).toEqual({ epoch: '3', päth: '√' });
    expect([...got.keys()].sort()).toEqual(tensors.map(({ name }) => name).sort());
    for (const { name, dtype, dims, bytes: own } of tensors) {
      const entry = got.get(name) as NonNullable<ReturnType<typeof got.get>>;
      expect(entry).toMatchObject({ dtype, dims });
      expect(bytes.slice(entry.offset, entry.offset + entry.length)).toEqual(own);
      if (dtype !== 'bool') expect(entry.offset % 4).toBe(0);
    }
    expect(await read(writeSafetensors([]), sized)).toEqual({ tensors: new Map(), metadata: {} });
  });

  test('the writer refuses what the format has no place for', () => {
    expect(() => writeSafetensors([float('a', [2], [1])])).toThrow(/"a" \(float32 \[2\]\) needs 8 bytes, but has 4/);
    expect(() => writeSafetensors([float('a', [], [1]), float('a', [], [1])])).toThrow(/two tensors "a"/);
    expect(() => writeSafetensors([{ name: 'q', dtype: 'int4', dims: [2], bytes: new Uint8Array(1) }])).toThrow(/int4/);
  });

  test.each([
    ['nothing', new Uint8Array(0), /has 0 bytes/],
    ['a header longer than the file', file('{}').slice(0, 9), /header has 2 bytes, but it ends before/],
    ['an absurd header', new Uint8Array(8).fill(255), /more than the format allows/],
    ['no JSON', file('{"a"'), /from byte 8, is no JSON/],
    ['no UTF-8', file('{"\u0000"}').fill(0xff, 9, 11), /is no JSON/],
    ['no object', file([]), /is no JSON object/],
    ['no description', file({ a: 1 }), /"a" .* no description/],
    ['no element type', file({ a: { shape: [], data_offsets: [0, 0] } }), /no element type/],
    ['no shape', file({ a: { dtype: 'F32', shape: [-1], data_offsets: [0, 4] } }, 4), /no shape/],
    ['offsets that are none', file({ a: { dtype: 'F32', shape: [1], data_offsets: [4, 0] } }, 4), /no data_offsets/],
    [
      'a wrong length',
      file({ a: { dtype: 'F32', shape: [2], data_offsets: [0, 4] } }, 4),
      /needs 8 bytes, but has 4, from byte 62/,
    ],
    [
      'an overlap',
      file(
        { a: { dtype: 'U8', shape: [4], data_offsets: [0, 4] }, b: { dtype: 'U8', shape: [2], data_offsets: [2, 4] } },
        4,
      ),
      /"b" .* overlap/,
    ],
    ['a hole', file({ a: { dtype: 'U8', shape: [2], data_offsets: [2, 4] } }, 4), /belong to nothing/],
    ['a cut', file({ a: { dtype: 'U8', shape: [4], data_offsets: [0, 4] } }, 3), /truncated: it ends at byte/],
    ['a tail', file({ a: { dtype: 'U8', shape: [4], data_offsets: [0, 4] } }, 5), /but it goes on/],
    ['metadata that is no text', file({ __metadata__: { a: 1 } }), /must be strings/],
  ] as const)('refuses %s', async (_, bytes, message) => {
    for (const sized of [true, false]) {
      await expect(read(bytes, sized)).rejects.toMatchObject({ code: 'INVALID_MODEL' });
    }
    await expect(read(bytes)).rejects.toThrow(message);
  });

  test('names an element type that Lepton lacks', async () => {
    const bytes = file({ a: { dtype: 'C64', shape: [1], data_offsets: [0, 8] } }, 8);
    await expect(read(bytes)).rejects.toMatchObject({ code: 'UNSUPPORTED_MODEL' });
  });

  test('damage ends in an answer or a LeptonError', async () => {
    const whole = writeSafetensors(tensors, { made: 'here' });
    const random = mulberry32(1);
    const outcomes = new Map<string, number>();
    for (let i = 0; i < 5000; i++) {
      let bytes = whole.slice();
      for (let n = Math.ceil(random() * 3); n > 0; n--) {
        const at = Math.floor(random() * bytes.length);
        const kind = random();
        if (kind < 0.6) bytes[at] = kind < 0.3 ? Math.floor(random() * 256) : 0x30 + Math.floor(random() * 10);
        else if (kind < 0.8) bytes = bytes.slice(0, at);
        else bytes = Uint8Array.from([...bytes.slice(0, at), ...bytes.slice(Math.max(0, at - 5))]);
        if (bytes.length === 0) break;
      }
      let outcome = 'read';
      try {
        const { tensors: got } = await read(bytes, random() < 0.5);
        const total = [...got.values()].reduce((sum, { length }) => sum + length, 0);
        expect(total).toBeLessThanOrEqual(bytes.length);
      } catch (error) {
        if (!(error instanceof LeptonError)) throw error;
        outcome = error.code;
      }
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
    expect(Object.keys(Object.fromEntries(outcomes)).sort()).toEqual(['INVALID_MODEL', 'UNSUPPORTED_MODEL', 'read']);
    expect(outcomes.get('read')).toBeGreaterThan(100);
  });
});
