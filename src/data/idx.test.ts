import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { dataPath, describeWithData } from '../../e2e/support/data';
import type { TensorLike } from '../base/tensor-like';
import { fromIDX } from './idx';
import type { Batch } from './types';

function idx(type: number, dims: readonly number[], body: readonly number[]): Uint8Array<ArrayBuffer> {
  const sizes = dims.flatMap((d) => [d >>> 24, (d >>> 16) & 255, (d >>> 8) & 255, d & 255]);
  return Uint8Array.from([0, 0, type, dims.length, ...sizes, ...body]);
}

async function first(source: AsyncIterable<Batch>): Promise<Batch | undefined> {
  for await (const batch of source) return batch;
  return undefined;
}

describe('fromIDX', () => {
  test('scales bytes, and gives pictures the shape asked for', async () => {
    const data = await fromIDX(
      { xs: idx(8, [2, 2, 1], [0, 255, 51, 102]), ys: idx(8, [2], [7, 3]) },
      { shape: [1, 2, 1] },
    );
    expect(await first(data.batch({ size: 2 }))).toEqual({
      xs: { type: 'float32', dims: [2, 1, 2, 1], data: Float32Array.from([0, 1, 0.2, 0.4]) },
      ys: { type: 'int32', dims: [2], data: new Int32Array([7, 3]) },
    });
  });

  test('reads big-endian types', async () => {
    const data = await fromIDX({ xs: idx(11, [2, 1], [1, 0, 255, 254]) });
    expect((await first(data.batch({ size: 2 })))?.xs).toMatchObject({ data: new Float32Array([256, -2]) });
    const floats = await fromIDX({ xs: idx(13, [1, 1], [0x3f, 0xc0, 0, 0]) });
    expect((await first(floats.batch({ size: 1 })))?.xs).toMatchObject({ data: new Float32Array([1.5]) });
  });

  test('says what is damaged, and where', async () => {
    const refused = async (bytes: Uint8Array<ArrayBuffer>, message: RegExp) =>
      expect(fromIDX({ xs: bytes })).rejects.toMatchObject({
        code: 'INVALID_DATA',
        message: expect.stringMatching(message),
      });
    await refused(idx(8, [2, 2], [1, 2, 3]), /Byte 12 .* takes 4 bytes, but 3 follow/);
    await refused(idx(7, [1], [0]), /begins with two zeros/);
    await refused(new Uint8Array(3), /begins with two zeros/);
    await refused(Uint8Array.from([0, 0, 8, 3, 0, 0]), /says 3 dimensions, but ends early/);
    await refused(idx(8, [2 ** 32 - 1, 2 ** 32 - 1, 2 ** 32 - 1], []), /takes .* bytes, but 0 follow/);
    await expect(fromIDX({ xs: idx(8, [2], [0, 0]), ys: idx(8, [1], [0]) })).rejects.toMatchObject({
      message: expect.stringMatching(/xs has 2 samples, but that of ys has 1/),
    });
    await expect(fromIDX({ xs: idx(8, [1, 2], [0, 0]) }, { shape: [3] })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });
});

describeWithData('MNIST', () => {
  test('is read from its gzipped files, and an epoch takes well under a second of processor time', async () => {
    const open = (name: string) => new Blob([new Uint8Array(readFileSync(dataPath('datasets', 'mnist', name)))]);
    const data = await fromIDX({ xs: open('train-images-idx3-ubyte.gz'), ys: open('train-labels-idx1-ubyte.gz') });
    expect(data.size).toBe(60_000);
    const batch = await first(data.batch({ size: 8 }));
    expect(Array.from((batch as { ys: TensorLike }).ys.data as Int32Array)).toEqual([5, 0, 4, 1, 9, 2, 1, 3]);
    expect((batch as { xs: TensorLike }).xs.dims).toEqual([8, 28, 28]);
    const start = process.cpuUsage();
    let sum = 0;
    for await (const { ys } of data.shuffle({ seed: 1 }).batch({ size: 128 })) {
      for (const label of (ys as TensorLike).data as Int32Array) sum += label;
    }
    // Microseconds.
    expect(process.cpuUsage(start).user).toBeLessThan(1e6);
    expect(sum).toBe(267_236);
  });
});
