import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { dataPath, describeWithData } from '../../e2e/support/data';
import type { TensorLike } from '../base/tensor-like';
import { type CsvDataset, type CsvOptions, fromCSV } from './csv';

const nan = Number.NaN;

async function table(data: CsvDataset): Promise<{ xs: number[]; ys: number[] | undefined; type: string | undefined }> {
  for await (const { xs, ys } of data.batch({ size: Math.max(1, data.size) })) {
    const labels = ys as TensorLike | undefined;
    return {
      xs: Array.from((xs as TensorLike).data as Float32Array),
      ys: labels && Array.from(labels.data as Float32Array),
      type: labels?.type,
    };
  }
  return { xs: [], ys: undefined, type: undefined };
}

const read = (text: string, options: CsvOptions = {}) => fromCSV({ text }, options);

async function refused(text: string, options: CsvOptions, code: string, message: RegExp): Promise<void> {
  await expect(read(text, options)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
}

describe('fromCSV', () => {
  test('reads numbers, words and what is missing', async () => {
    const data = await read('size,colour,age,kind\n1.5,red,NA,b\n-2e3,blue,3,a\n,red,4,b\n', { labels: 'kind' });
    expect(data.size).toBe(3);
    expect(data.features).toEqual([{ name: 'size' }, { name: 'colour', categories: ['blue', 'red'] }, { name: 'age' }]);
    expect(data.labels).toEqual([{ name: 'kind', categories: ['a', 'b'] }]);
    expect(await table(data)).toEqual({ xs: [1.5, 1, nan, -2000, 0, 3, nan, 1, 4], ys: [1, 0, 1], type: 'int32' });
  });

  test('takes the columns asked for, in that order, as what they are said to be', async () => {
    const data = await read('a,b,c\n1,2,3\n4,5,6\n', { features: ['c', 'a'], labels: ['b'], types: { a: 'category' } });
    expect(data.features).toEqual([{ name: 'c' }, { name: 'a', categories: ['1', '4'] }]);
    expect(await table(data)).toEqual({ xs: [3, 0, 6, 1], ys: [2, 5], type: 'float32' });
  });

  test('a missing category is NaN, and makes labels float32', async () => {
    expect(await table(await read('x,y\n1,a\n2,?\n', { labels: 'y' }))).toEqual({
      xs: [1, 2],
      ys: [0, nan],
      type: 'float32',
    });
  });

  test('does without a header, and with names given', async () => {
    expect((await read('1;2\n3;4', { header: false, delimiter: ';' })).features.map((f) => f.name)).toEqual(['0', '1']);
    const named = await read('1\t2\n', { header: ['p', 'q'], delimiter: '\t', labels: 'q' });
    expect(await table(named)).toMatchObject({ xs: [1], ys: [2] });
    expect(await table(named)).toMatchObject({ xs: [1], ys: [2] });
  });

  test('knows quotes, empty lines, a byte order mark and every line ending', async () => {
    const text = '\ufeff"a, ""b""",c\r\n"x\r\ny",1\r\n\r\n5" pipe,2\n"",3';
    const data = await read(text, { missing: [] });
    expect(data.features).toEqual([{ name: 'a, "b"', categories: ['', '5" pipe', 'x\r\ny'] }, { name: 'c' }]);
    expect(await table(data)).toMatchObject({ xs: [2, 1, 1, 2, 0, 3] });
  });

  test('is the same however the bytes are cut', async () => {
    const bytes = new TextEncoder().encode('näme,"b ""q"""\n"Ü,\n€",1\r\nx,2\n');
    const whole = await fromCSV(bytes);
    for (const size of [1, 2, 3, 7]) {
      const stream = new ReadableStream<Uint8Array>({
        start(controller) {
          for (let at = 0; at < bytes.length; at += size) controller.enqueue(bytes.slice(at, at + size));
          controller.close();
        },
      });
      const cut = await fromCSV(stream);
      expect(cut.features).toEqual(whole.features);
      expect(await table(cut)).toEqual(await table(whole));
    }
    expect(whole.features).toEqual([{ name: 'näme', categories: ['x', 'Ü,\n€'] }, { name: 'b "q"' }]);
  });

  test('names line and column of what is wrong', async () => {
    await refused('a,b\n1,2\n3\n', {}, 'INVALID_DATA', /Line 3 .* 1 fields, but there are 2 columns/);
    await refused('a,b\n"x\ny",2\n3,4,5\n', {}, 'INVALID_DATA', /Line 4 /);
    await refused(
      'a,b\n1,2\n3,q\n',
      { types: { b: 'number' } },
      'INVALID_DATA',
      /Line 3 .*column "b": "q" is no number/,
    );
    await refused('a,b\n1,"2\n3,4\n', {}, 'INVALID_DATA', /Line 2 .*never closed/);
    const late = `a\n${'1\n'.repeat(12_000)}word\n`;
    await refused(late, {}, 'INVALID_DATA', /Line 12002 .*"category"/);
    await refused('a,b\n1,2\n', { labels: 'c' }, 'INVALID_ARGUMENT', /no column "c"; there are a, b/);
    await refused('a,b\n1,2\n', { delimiter: '::' }, 'INVALID_ARGUMENT', /one character/);
  });

  test('has no rows where the file has none', async () => {
    expect((await read('a,b\n')).size).toBe(0);
    expect((await read('')).size).toBe(0);
  });

  test('reads gzip, and says where it is damaged', async () => {
    const packed = new Blob(['a\n1\n2\n']).stream().pipeThrough(new CompressionStream('gzip'));
    const bytes = new Uint8Array(await new Response(packed).arrayBuffer());
    expect(await table(await fromCSV(new Blob([bytes])))).toMatchObject({ xs: [1, 2] });
    await expect(fromCSV(bytes.slice(0, -9))).rejects.toMatchObject({ code: 'INVALID_DATA' });
  });

  test('says what could not be fetched', async () => {
    await expect(fromCSV('data:text/csv,a%0A1%0A')).resolves.toMatchObject({ size: 1 });
    await expect(fromCSV('http://127.0.0.1:9/none.csv')).rejects.toMatchObject({
      code: 'NETWORK',
      message: expect.stringMatching(/fetched from http:\/\/127.0.0.1:9/),
    });
    await expect(fromCSV(new Response('', { status: 404 }))).rejects.toMatchObject({ code: 'NETWORK' });
    const signal = AbortSignal.abort();
    await expect(fromCSV({ text: 'a\n1' }, { signal })).rejects.toMatchObject({ code: 'ABORTED' });
  });
});

describeWithData('tables', () => {
  const open = (...path: string[]) => new Blob([new Uint8Array(readFileSync(dataPath('datasets', ...path)))]);

  test('the Wisconsin breast-cancer table', async () => {
    const data = await fromCSV(open('breast-cancer-wdbc', 'breast_cancer.csv'), { labels: 'outcome' });
    expect(data.size).toBe(569);
    expect(data.features).toHaveLength(30);
    expect((await table(data)).ys?.filter((y) => y === 1)).toHaveLength(212);
  });

  test('a series of dates and numbers', async () => {
    const data = await fromCSV(open('timeseries-ett', 'ETTh1.csv'), { features: ['OT'] });
    expect(data.size).toBe(17420);
    const { xs } = await data.statistics();
    expect(xs?.missing).toEqual([0]);
  });
});
