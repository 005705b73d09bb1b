// Data sets in pages: pictures of every kind the page has, files fetched and unpacked.

import { expect, inject, test } from 'vitest';
import { describeBrowsers } from '../support/browsers';

type Data = typeof import('../../src/data');

const server = inject('server');

describeBrowsers('data sets', (browser) => {
  const open = async () => {
    const page = await browser.newPage();
    await page.goto(`${server}/e2e/support/blank.html`);
    return page;
  };

  test('pictures are the same wherever they come from', async () => {
    const page = await open();
    const seen = await page.evaluate(async () => {
      const path = '/src/data/index.ts';
      const { fromImages } = (await import(path)) as Data;
      const canvas = document.createElement('canvas');
      canvas.width = 6;
      canvas.height = 4;
      const context = canvas.getContext('2d') as CanvasRenderingContext2D;
      context.fillStyle = '#ff8000';
      context.fillRect(0, 0, 3, 4);
      context.fillStyle = '#0000ff';
      context.fillRect(3, 0, 3, 4);
      const blob = await new Promise<Blob>((resolve) => canvas.toBlob((b) => resolve(b as Blob)));
      const items = [
        context.getImageData(0, 0, 6, 4),
        canvas.toDataURL(),
        blob,
        await createImageBitmap(canvas),
        URL.createObjectURL(blob),
      ];
      const read = async (options: Parameters<typeof fromImages>[1]) => {
        const out = [];
        for await (const { xs, ys } of fromImages(items, { labels: [4, 3, 2, 1, 0], ...options }).batch({ size: 5 })) {
          const { dims, data, type } = xs as { dims: number[]; data: Float32Array; type: string };
          out.push({ type, dims, data: [...data], ys: [...(ys as unknown as { data: Int32Array }).data] });
        }
        return out[0];
      };
      return {
        last: await read({ size: [1, 2] }),
        first: await read({ size: [1, 2], layout: 'channelsFirst', scale: 1, cache: true }),
        gray: await read({ size: [2, 2], channels: 'gray', scale: 1 }),
      };
    });
    const row = [1, 128 / 255, 0, 0, 0, 1].map(Math.fround);
    expect(seen.last).toMatchObject({ type: 'float32', dims: [5, 1, 2, 3], ys: [4, 3, 2, 1, 0] });
    expect(seen.last?.data.map((v) => v.toFixed(5))).toEqual(
      Array(5)
        .fill(row)
        .flat()
        .map((v: number) => v.toFixed(5)),
    );
    expect(seen.first).toMatchObject({ dims: [5, 3, 1, 2], data: Array(5).fill([255, 0, 128, 0, 0, 255]).flat() });
    const gray = [0.299 * 255 + 0.587 * 128, 0.114 * 255].map((v) => v.toFixed(3));
    expect(seen.gray?.data.map((v) => v.toFixed(3))).toEqual(
      Array(5)
        .fill([...gray, ...gray])
        .flat(),
    );
    await page.close();
  });

  test('what is no picture, no gzip file or not there is named', async () => {
    const page = await open();
    const seen = await page.evaluate(async () => {
      const path = '/src/data/index.ts';
      const { fromCSV, fromImages } = (await import(path)) as Data;
      const failure = async (action: () => Promise<unknown>) => {
        try {
          await action();
          return 'none';
        } catch (error) {
          return `${(error as { code?: string }).code}: ${(error as Error).message}`;
        }
      };
      const first = (items: Parameters<typeof fromImages>[0]) => async () => {
        for await (const _ of fromImages(items, { size: [1, 1] })) return;
      };
      const packed = new Blob(['a\n1\n'.repeat(1000)]).stream().pipeThrough(new CompressionStream('gzip'));
      const bytes = new Uint8Array(await new Response(packed).arrayBuffer());
      return {
        text: await failure(first([new Blob(['no picture'])])),
        missing: await failure(first(['/no/such.png'])),
        cut: await failure(() => fromCSV(bytes.slice(0, -12))),
        size: (await fromCSV(new Blob([bytes]))).size,
      };
    });
    expect(seen.text).toMatch(/^INVALID_DATA: Picture 0 cannot be decoded/);
    expect(seen.missing).toMatch(/^(NETWORK|INVALID_DATA): Picture 0 \(\/no\/such.png\)/);
    expect(seen.cut).toMatch(/^INVALID_DATA: Unpacking the CSV file failed/);
    expect(seen.size).toBe(1999);
    await page.close();
  });
});
