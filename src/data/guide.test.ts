// The examples of docs/data.md run as they stand there.

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import * as data from '.';

const guide = readFileSync(new URL('../../docs/data.md', import.meta.url), 'utf8');
const examples = [...guide.matchAll(/```js\n(.*?)```/gs)].map(([, code = '']) => code);

/** Node 20 has none. */
async function fromAsync<T>(source: AsyncIterable<T>): Promise<T[]> {
  const out: T[] = [];
  for await (const item of source) out.push(item);
  return out;
}

async function printed(code: string): Promise<unknown[][]> {
  const lines: unknown[][] = [];
  const run = new Function('data', 'console', 'Array', `return (async () => {${code}})()`);
  const list = Object.assign(() => [], { fromAsync });
  await run(data, { log: (...values: unknown[]) => lines.push(values) }, list);
  return lines;
}

test('the examples print what they promise', async () => {
  const [sources = '', samples = '', features = '', folds = ''] = examples;
  expect(await printed(sources)).toEqual([
    [4],
    [
      [{ name: 'petal' }, { name: 'colour', categories: ['red', 'white'] }],
      [{ name: 'kind', categories: ['daisy', 'rose'] }],
    ],
  ]);
  const lines = await printed(samples);
  expect(lines.slice(0, 5)).toEqual(Array(5).fill([[16], [16, 2]]));
  expect(lines.slice(5)).toEqual([[[16]], [[16]], [5, 20]]);
  expect(await printed(features)).toEqual([[[2, 200], expect.any(Float32Array)], [3]]);
  expect(await printed(folds)).toEqual(Array(5).fill([48, 12]));
  expect(examples).toHaveLength(4);
});
