// Reading needs memory for the nodes, not for the weights: a model of 512 MiB that exists only as a rule.

import { describe, expect, test } from 'vitest';
import type { BytePiece, ByteSource } from '../base/bytes';
import { readOnnx } from './onnx';

const MiB = 2 ** 20;

/** Bytes with zeros between them: `gap` behind each part. */
class StretchedSource implements ByteSource {
  bytesRead = 0;
  largestRead = 0;

  constructor(
    private readonly parts: readonly { bytes: Uint8Array; gap: number }[],
    readonly size: number | undefined,
  ) {}

  async read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    const end = this.parts.reduce((sum, p) => sum + p.bytes.length + p.gap, 0);
    const out = new Uint8Array(Math.max(0, Math.min(length, end - offset)));
    let at = 0;
    for (const { bytes, gap } of this.parts) {
      const from = Math.max(at, offset);
      const to = Math.min(at + bytes.length, offset + out.length);
      if (from < to) out.set(bytes.subarray(from - at, to - at), from - offset);
      at += bytes.length + gap;
    }
    this.bytesRead += out.length;
    this.largestRead = Math.max(this.largestRead, out.length);
    return out;
  }

  stream(): AsyncIterable<BytePiece> {
    throw new Error('The reader has no need to stream.');
  }
}

/** A model of `count` weights of `bytes` each, whose data the source makes up. */
function hugeModel(count: number, bytes: number): { parts: { bytes: Uint8Array; gap: number }[]; size: number } {
  const varint = (value: number): number[] =>
    value < 128 ? [value] : [(value % 128) | 128, ...varint(Math.floor(value / 128))];
  const field = (number: number, content: readonly number[]): number[] => [
    ...varint(number * 8 + 2),
    ...varint(content.length),
    ...content,
  ];
  const text = (s: string): number[] => [...new TextEncoder().encode(s)];
  const nodes = Array.from({ length: count }, (_, i) => {
    return field(1, [
      ...field(1, text(i ? `y${i - 1}` : 'x')),
      ...field(1, text(`w${i}`)),
      ...field(2, text(`y${i}`)),
      ...field(4, text('Add')),
    ]);
  }).flat();
  const value = (name: string) => [...field(1, text(name)), ...field(2, field(1, [8, 1]))];
  const ends = [...field(11, value('x')), ...field(12, value(`y${count - 1}`))];
  const headers = Array.from({ length: count }, (_, i) => {
    const inner = [8, ...varint(bytes / 4), 0x10, 1, ...field(8, text(`w${i}`)), 0x4a, ...varint(bytes)];
    return [0x2a, ...varint(inner.length + bytes), ...inner];
  });
  const graphBytes = nodes.length + headers.reduce((sum, h) => sum + h.length + bytes, 0) + ends.length;
  const start = [8, 8, 0x3a, ...varint(graphBytes), ...nodes];
  const opset = field(8, [0x10, 21]);
  const parts = headers.map((header, i) => ({
    bytes: Uint8Array.from(i === 0 ? [...start, ...header] : header),
    gap: bytes,
  }));
  parts.push({ bytes: Uint8Array.from([...ends, ...opset]), gap: 0 });
  return { parts, size: parts.reduce((sum, p) => sum + p.bytes.length + p.gap, 0) };
}

describe('a model of 512 MiB', () => {
  test.each([
    ['one weight', 1, 512],
    ['128 weights', 128, 4],
    ['512 weights', 512, 1],
  ])('of %s', async (_, count, mebibytes) => {
    for (const sized of [true, false]) {
      const { parts, size } = hugeModel(count, mebibytes * MiB);
      const source = new StretchedSource(parts, sized ? size : undefined);
      const { graph } = await readOnnx(source);
      expect(graph.nodes).toHaveLength(count);
      const last = graph.values.get(`w${count - 1}`)?.constant;
      expect(last).toMatchObject({ kind: 'stored', bytes: { file: '', length: mebibytes * MiB } });
      expect(source.bytesRead).toBeLessThan(2 * MiB);
      expect(source.largestRead).toBeLessThanOrEqual(MiB / 4);
    }
  });
});
