// The second visit: plans come from the store, so that neither the compiler nor the model is asked for again; and
// what is not there any more, or is damaged, or is another version's, costs time and nothing else.

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { ndarray } from '../../src/base/ndarray';
import { describeBrowsers, type TestContext, type TestPage } from '../support/browsers';
import { startLeptonServer } from '../support/lepton-page';
import { makeModel, tensorOf } from '../support/onnx-writer';
import { mulberry32 } from '../support/random';
import type { TestServer } from '../support/server';
import { dense } from './models';

declare const lepton: typeof import('../../src/api');

const random = mulberry32(3);
const drawn = (...dims: number[]) =>
  ndarray(
    'float32',
    dims,
    Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => random() - 0.5),
  );

/** A small network with weights that kernels pack: [1, 3, 12, 12] → [1, 10]. */
const network = makeModel({
  nodes: [
    { op: 'Conv', inputs: ['x', 'w0', 'b0'], outputs: ['c'], attributes: { kernel_shape: { ints: [3, 3] } } },
    { op: 'Relu', inputs: ['c'], outputs: ['r'] },
    {
      op: 'MaxPool',
      inputs: ['r'],
      outputs: ['p'],
      attributes: { kernel_shape: { ints: [2, 2] }, strides: { ints: [2, 2] } },
    },
    { op: 'Flatten', inputs: ['p'], outputs: ['f'] },
    { op: 'Gemm', inputs: ['f', 'w1', 'b1'], outputs: ['g'] },
    { op: 'Softmax', inputs: ['g'], outputs: ['y'] },
  ],
  inputs: [{ name: 'x', dtype: 'float32', shape: [1, 3, 12, 12] }],
  outputs: [{ name: 'y', dtype: 'float32', shape: [1, 10] }],
  initializers: [
    tensorOf('w0', drawn(8, 3, 3, 3)),
    tensorOf('b0', drawn(8)),
    tensorOf('w1', drawn(200, 10)),
    tensorOf('b1', drawn(10)),
  ],
});

interface Visit {
  readonly y: number[];
  readonly origin: string;
}

const compiler = '/dist/lepton-compiler.js';

describeBrowsers('the second visit', (browser) => {
  let server: TestServer;
  let context: TestContext;
  let page: TestPage;
  beforeAll(async () => {
    server = await startLeptonServer();
    server.put('/network.onnx', { bytes: network });
    server.put('/dense.onnx', { bytes: dense });
  });
  beforeEach(async () => {
    await context?.close();
    context = await browser.newContext();
    page = await context.newPage();
    server.setFault(undefined);
    await page.goto(`${server.url}/`);
    server.forgetRequests();
  });
  afterAll(async () => {
    await context.close();
    await server.close();
  });

  // What cannot be imported as a module is asked for once more, as a script; the icon by the browser.
  const asked = () => [...new Set(server.requests.map(({ path }) => path))].filter((path) => path !== '/favicon.ico');

  /** Loads and runs on the page; the model stays, as on a page that goes on to use it. */
  const visit = (on: TestPage = page): Promise<Visit> =>
    on.evaluate(async () => {
      const model = await lepton.load('/network.onnx');
      const x = new lepton.Tensor(
        'float32',
        Float32Array.from({ length: 432 }, (_, i) => Math.sin(i)),
        [1, 3, 12, 12],
      );
      const { y } = await model.run({ x });
      return { y: [...(y!.data as Float32Array)], origin: model.report.origin };
    });

  /** Bytes kept beside the file, once they have not changed for a while. */
  const settled = (on: TestPage = page): Promise<number> =>
    on.evaluate(async () => {
      let bytes = 0;
      for (let quiet = 0; quiet < 15; quiet++) {
        await new Promise((resolve) => setTimeout(resolve, 100));
        const now = (await lepton.cache.usage()).bytes;
        if (now !== bytes) quiet = 0;
        bytes = now;
      }
      return bytes;
    });

  const again = async (): Promise<Visit> => {
    await page.reload();
    server.forgetRequests();
    return visit();
  };

  const close = (a: Visit, b: Visit) => {
    for (const [i, value] of a.y.entries()) expect(value).toBeCloseTo(b.y[i] as number, 5);
  };

  /** Does something to every record that was derived from a file, and says how many there are. */
  const derived = (how: 'count' | 'flip' | 'age'): Promise<number> =>
    page.evaluate(async (how) => {
      const settle = <T>(request: IDBRequest<T>) =>
        new Promise<T>((resolve, reject) => {
          request.onsuccess = () => resolve(request.result);
          request.onerror = () => reject(request.error);
        });
      const database = await settle(indexedDB.open('lepton-weights') as IDBRequest<IDBDatabase>);
      const objects = () => database.transaction('weights', 'readwrite').objectStore('weights');
      const keys = (await settle(objects().getAllKeys(IDBKeyRange.bound(['derived'], ['derived', []])))) as string[][];
      for (const key of how === 'count' ? [] : keys) {
        const value = (await settle(objects().get(key))) as Blob | object;
        if (how === 'age') {
          await settle(objects().delete(key));
          await settle(objects().put(value, [key[0]!, key[1]!, 'another build', ...key.slice(3)]));
        } else if (value instanceof Blob) {
          const bytes = new Uint8Array(await value.arrayBuffer());
          bytes[bytes.length >> 1]! ^= 1;
          await settle(objects().put(new Blob([bytes]), key));
        }
      }
      database.close();
      return keys.length;
    }, how);

  /** The same, where a plan is to be kept: on a busy machine that begins late. */
  const kept = async (): Promise<number> => {
    while ((await derived('count')) === 0) await new Promise((resolve) => setTimeout(resolve, 100));
    return settled();
  };

  test('asks for neither compiler nor model, and answers the same', async () => {
    const first = await visit();
    expect(asked()).toContain(compiler);
    expect(await kept()).toBeGreaterThan(network.length);
    const second = await again();
    expect(asked()).toEqual([]);
    expect(second.origin).toBe('store');
    close(second, first);
    // Also with the plan that takes over after the first run.
    await kept();
    close(await visit(), first);
    expect(asked()).toEqual([]);
  });

  test('start() gets the compiler where nothing is stored, and asks for nothing where something is', async () => {
    await page.evaluate(() => lepton.start());
    // What start() does not wait for.
    await expect.poll(asked, { timeout: 20_000 }).toEqual([compiler]);
    const first = await visit();
    expect(asked()).toEqual([compiler, '/network.onnx']);
    await kept();
    await page.reload();
    server.forgetRequests();
    await page.evaluate(() => lepton.start());
    close(await visit(), first);
    expect(asked()).toEqual([]);
  });

  test('a shape not met before is planned, with the compiler fetched then', async () => {
    const run = (rows: number) =>
      page.evaluate(async (rows) => {
        const model = await lepton.load('/dense.onnx');
        const { y } = await model.run({
          x: new lepton.Tensor('float32', new Float32Array(3 * rows).fill(1), [rows, 3]),
        });
        return [...(y!.data as Float32Array)];
      }, rows);
    expect(await run(1)).toEqual([6.5, 0]);
    await kept();
    await page.reload();
    server.forgetRequests();
    expect(await run(1)).toEqual([6.5, 0]);
    expect(asked()).toEqual([]);
    expect(await run(2)).toEqual([6.5, 0, 6.5, 0]);
    expect(asked()).toEqual([compiler]);
  });

  test('without a network, what was planned runs, and what was not says why', async () => {
    await page.evaluate(async () => {
      const model = await lepton.load('/dense.onnx');
      await model.run({ x: new lepton.Tensor('float32', Float32Array.of(1, 1, 1), [1, 3]) });
    });
    await kept();
    await page.reload();
    server.setFault(() => ({ status: 503 }));
    const seen = await page.evaluate(async () => {
      const model = await lepton.load('/dense.onnx');
      const run = (rows: number) =>
        model.run({ x: new lepton.Tensor('float32', new Float32Array(3 * rows), [rows, 3]) });
      const known = await run(1);
      return { known: known.y?.dims, other: await run(5).catch((error) => error.code) };
    });
    expect(seen).toEqual({ known: [1, 2], other: 'WORKER_FAILED' });
  });

  test('damaged plans are made again', async () => {
    const first = await visit();
    await kept();
    expect(await derived('flip')).toBeGreaterThan(1);
    close(await again(), first);
    expect(asked()).toEqual([compiler]);
    await kept();
    close(await again(), first);
    expect(asked()).toEqual([]);
  });

  test('plans of another build are not used, and go when there are new ones', async () => {
    const first = await visit();
    await kept();
    const before = await derived('age');
    close(await again(), first);
    expect(asked()).toEqual([compiler]);
    await kept();
    expect(await derived('count')).toBe(before);
    close(await again(), first);
    expect(asked()).toEqual([]);
  });

  test('cache.delete removes plans with their file, also while the model is open', async () => {
    await visit();
    await kept();
    expect(await derived('count')).toBeGreaterThan(0);
    const usage = await page.evaluate(async () => {
      await lepton.cache.delete('/network.onnx');
      return lepton.cache.usage();
    });
    expect(usage).toMatchObject({ bytes: 0, files: 0 });
    await settled();
    expect(await derived('count')).toBe(0);
  });

  test('two tabs at once find and store the same', async () => {
    const other = await context.newPage();
    await other.goto(`${server.url}/`);
    const [a, b] = await Promise.all([visit(), visit(other)]);
    close(a, b);
    await kept();
    await other.reload();
    await page.reload();
    server.forgetRequests();
    const [c, d] = await Promise.all([visit(), visit(other)]);
    close(c, a);
    close(d, a);
    expect(asked()).toEqual([]);
    await other.close();
  });

  test('a load that is given up leaves no plan', async () => {
    const code = await page.evaluate(async () => {
      const controller = new AbortController();
      const onProgress = ({ stage }: { stage: string }) => stage === 'compile' && controller.abort();
      return lepton.load('/network.onnx', { signal: controller.signal, onProgress }).then(
        () => 'loaded',
        (error) => error.code,
      );
    });
    expect(code).toBe('ABORTED');
    await settled();
    expect(await derived('count')).toBe(0);
  });
});
