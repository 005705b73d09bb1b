// The public contract, on the built library in real browsers.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeBrowsers, type TestPage } from '../support/browsers';
import { openLeptonPage, startLeptonServer } from '../support/lepton-page';
import type { TestServer } from '../support/server';
import { dense, external, integers, picture } from './models';

declare const lepton: typeof import('../../src/api');

describeBrowsers('the API', (browser) => {
  let server: TestServer;
  let page: TestPage;
  beforeAll(async () => {
    server = await startLeptonServer();
    server.put('/dense.onnx', { bytes: dense });
    server.put('/integers.onnx', { bytes: integers });
    server.put('/picture.onnx', { bytes: picture });
    server.put('/deep/external.onnx', { bytes: external.model });
    server.put('/deep/parts.bin', { bytes: external.parts });
    page = await openLeptonPage(browser, server);
  });
  afterAll(async () => {
    await page.close();
    await server.close();
  });

  test('describes inputs and outputs, and runs any batch size', async () => {
    const seen = await page.evaluate(async () => {
      const model = await lepton.load('/dense.onnx');
      const run = async (rows: number) => {
        const data = Float32Array.from({ length: 3 * rows }, (_, i) => i % 3);
        const { y } = await model.run({ x: new lepton.Tensor('float32', data, [rows, 3]) });
        return { dims: y?.dims, type: y?.type, data: [...(y!.data as Float32Array)] };
      };
      const answer = {
        inputs: model.inputs,
        outputs: model.outputs,
        one: await run(1),
        two: await run(2),
        again: await run(1),
      };
      await model.dispose();
      return answer;
    });
    expect(seen.inputs).toEqual([{ name: 'x', type: 'float32', shape: ['batch', 3] }]);
    expect(seen.outputs.map((o) => o.name)).toEqual(['y', 'sum']);
    expect(seen.one).toEqual({ dims: [1, 2], type: 'float32', data: [8.5, 0] });
    expect(seen.two).toEqual({ dims: [2, 2], type: 'float32', data: [8.5, 0, 8.5, 0] });
    expect(seen.again).toEqual(seen.one);
  });

  test('reads back only the outputs asked for', async () => {
    const names = await page.evaluate(async () => {
      const model = await lepton.load('/dense.onnx');
      const x = new lepton.Tensor('float32', Float32Array.of(1, 1, 1), [1, 3]);
      const out = await model.run({ x }, { outputs: ['sum'] });
      return { names: Object.keys(out), sum: [...(out.sum!.data as Float32Array)], input: x.data.length };
    });
    expect(names).toEqual({ names: ['sum'], sum: [6.5, -5.75], input: 3 });
  });

  test('keeps tensors on the GPU, feeds them on, reads and frees them', async () => {
    const seen = await page.evaluate(async () => {
      const model = await lepton.load('/picture.onnx');
      const size = 3 * 24 * 32;
      const x = await new lepton.Tensor('float32', new Float32Array(size).fill(3), [1, 3, 24, 32]).upload();
      const first = await model.run({ x }, { location: 'gpu' });
      const second = await model.run({ x: first.y as InstanceType<typeof lepton.Tensor> }, { location: ['y'] });
      const y = second.y as InstanceType<typeof lepton.Tensor>;
      const values = (await y.read()) as Float32Array;
      const data = (() => {
        try {
          return y.data.length;
        } catch (error) {
          return (error as { code: string }).code;
        }
      })();
      x.dispose();
      const after = await model.run({ x }).catch((error) => error.code);
      return {
        location: y.location,
        dims: y.dims,
        all: values.every((v) => v === 3),
        length: values.length,
        data,
        after,
      };
    });
    expect(seen).toEqual({
      location: 'gpu',
      dims: [1, 3, 24, 32],
      all: true,
      length: 2304,
      data: 'UNSUPPORTED_OPERATION',
      after: 'DISPOSED',
    });
  });

  test('frees a GPU tensor only after the runs it was fed to; says when memory was given away', async () => {
    const seen = await page.evaluate(async () => {
      const model = await lepton.load('/dense.onnx');
      const row = () => new lepton.Tensor('float32', [1, 1, 1], [1, 3]);
      const kept = await row().upload();
      const runs = [model.run({ x: row() }), model.run({ x: kept })];
      kept.dispose();
      const [, second] = await Promise.all(runs);
      const given = row();
      await model.run({ x: given }, { transfer: true });
      const again = await model.run({ x: given }).catch((e) => e.code as string);
      return { sum: (second!.sum!.data as Float32Array)[0], again };
    });
    expect(seen).toEqual({ sum: 6.5, again: 'INVALID_INPUT' });
  });

  test('gives int64 as BigInt and bool as bytes', async () => {
    const seen = await page.evaluate(async () => {
      const model = await lepton.load('/integers.onnx');
      const { doubled, flag } = await model.run({
        n: new lepton.Tensor('int64', BigInt64Array.of(-5n, 2n, 2147483n), [3]),
      });
      const big = await model.run({ n: new lepton.Tensor('int64', [2n ** 40n, 0n, 0n], [3]) }).catch((e) => e.code);
      return { doubled: [...(doubled!.data as BigInt64Array)].map(String), flag: [...(flag!.data as Uint8Array)], big };
    });
    expect(seen).toEqual({ doubled: ['-10', '4', '4294966'], flag: [0, 0, 1], big: 'UNSUPPORTED_MODEL' });
  });

  test('runs asked for at once queue in order', async () => {
    const order = await page.evaluate(async () => {
      const model = await lepton.load('/dense.onnx');
      const done: number[] = [];
      await Promise.all(
        [0, 1, 2, 3, 4].map(async (i) => {
          const { sum } = await model.run({ x: new lepton.Tensor('float32', Float32Array.of(i, 0, 0), [1, 3]) });
          done.push((sum!.data as Float32Array)[0] as number);
        }),
      );
      return done;
    });
    expect(order).toEqual([0.5, 1.5, 2.5, 3.5, 4.5]);
  });

  test('an aborted run leaves the model usable', async () => {
    const seen = await page.evaluate(async () => {
      const model = await lepton.load('/dense.onnx');
      const x = new lepton.Tensor('float32', Float32Array.of(1, 0, 0), [1, 3]);
      const before = await model.run({ x }, { signal: AbortSignal.abort() }).catch((e) => e.code);
      const controller = new AbortController();
      const runs = [model.run({ x }), model.run({ x }, { signal: controller.signal })].map((r) =>
        r.then(
          () => 'ran',
          (e) => e.code,
        ),
      );
      controller.abort();
      const [first, second] = await Promise.all(runs);
      const { y } = await model.run({ x });
      return { before, first, second, after: [...(y!.data as Float32Array)] };
    });
    expect(seen).toEqual({ before: 'ABORTED', first: 'ran', second: 'ABORTED', after: [1.5, 0] });
  });

  test('takes pictures of every kind, resized and normalised as the host does it', async () => {
    const seen = await page.evaluate(async () => {
      const canvas = document.createElement('canvas');
      canvas.width = 100;
      canvas.height = 60;
      const context = canvas.getContext('2d') as CanvasRenderingContext2D;
      const gradient = context.createLinearGradient(0, 0, 100, 60);
      for (const [at, colour] of [
        [0, '#f00'],
        [0.5, '#0f8'],
        [1, '#22f'],
      ] as const)
        gradient.addColorStop(at, colour);
      context.fillStyle = gradient;
      context.fillRect(0, 0, 100, 60);
      const bitmap = await createImageBitmap(canvas);
      const img = new Image();
      img.src = canvas.toDataURL();
      await img.decode();
      const pixels = context.getImageData(0, 0, 100, 60);
      const gpu = await lepton.load('/picture.onnx');
      const cpu = await lepton.load('/picture.onnx', { backend: 'cpu' });
      const options: NonNullable<Parameters<typeof lepton.image>[1]>[] = [
        {},
        { fit: 'contain', pad: 114, channels: 'BGR', scale: 1 },
        { fit: 'contain', align: 'start', mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
        { fit: 'cover', mean: 127, std: 128, scale: 1 },
      ];
      let worst = 0;
      for (const o of options) {
        const want = (await cpu.run({ x: lepton.image(bitmap, o) })).y!.data as Float32Array;
        const scale = Math.max(...want.map(Math.abs));
        for (const source of [bitmap, canvas, img, pixels]) {
          const got = (await gpu.run({ x: lepton.image(source, o) })).y!.data as Float32Array;
          worst = Math.max(worst, ...got.map((v, i) => Math.abs(v - (want[i] as number)) / scale));
        }
      }
      return { worst, stillThere: bitmap.width };
    });
    expect(seen.worst).toBeLessThan(1e-3);
    expect(seen.stillThere).toBe(100);
  });

  test('profiles node by node', async () => {
    const profile = await page.evaluate(async () => {
      const model = await lepton.load('/dense.onnx');
      return model.profile({ x: new lepton.Tensor('float32', new Float32Array(300), [100, 3]) });
    });
    expect(profile.nodes.length).toBeGreaterThan(0);
    expect(profile.wallTime).toBeGreaterThan(0);
    for (const node of profile.nodes) {
      expect(node.kernel).not.toBe('');
      expect(node.gpuTime).toBeGreaterThanOrEqual(0);
      expect(node.bytes).toBeGreaterThan(0);
    }
  });

  test('the second load makes no request for the model; the cache can be seen and emptied', async () => {
    await page.evaluate(() => lepton.cache.clear());
    const first = await page.evaluate(async () => (await lepton.load('/dense.onnx')).report.origin);
    server.forgetRequests();
    const second = await page.evaluate(async () => {
      const { report } = await lepton.load('/dense.onnx');
      const [file] = await lepton.cache.list();
      const usage = await lepton.cache.usage();
      const deleted = await lepton.cache.delete('/dense.onnx');
      return {
        origin: report.origin,
        file: file?.url,
        bytes: file?.bytes,
        usage,
        deleted,
        left: (await lepton.cache.list()).length,
      };
    });
    expect(first).toBe('network');
    expect(second).toMatchObject({ origin: 'store', bytes: dense.length, deleted: true, left: 0 });
    expect(second.file).toContain('/dense.onnx');
    expect(second.usage.files).toBe(1);
    expect(server.requests.filter((r) => r.path === '/dense.onnx')).toEqual([]);
  });

  test('loads from a File, a Blob and an ArrayBuffer, and on the cpu backend', async () => {
    const answers = await page.evaluate(async () => {
      const bytes = await (await fetch('/dense.onnx')).arrayBuffer();
      const x = new lepton.Tensor('float32', [1, 2, 3], [1, 3]);
      const run = async (source: Parameters<typeof lepton.load>[0], options = {}) => {
        const model = await lepton.load(source, options);
        const { y } = await model.run({ x });
        return [model.report.origin, model.report.backend, ...(y!.data as Float32Array)];
      };
      return [
        await run(bytes),
        await run(new Blob([bytes])),
        await run(new File([bytes], 'dense.onnx')),
        await run(bytes, { backend: 'cpu' }),
      ];
    });
    for (const [i, answer] of answers.entries())
      expect(answer).toEqual(['memory', i === 3 ? 'cpu' : 'webgpu', 14.5, 0]);
  });

  test('takes external data from beside the model, or from where it is told', async () => {
    const seen = await page.evaluate(async () => {
      const x = new lepton.Tensor('float32', [1, 2, 3, 4, 5, 6], [6]);
      const run = async (source: Parameters<typeof lepton.load>[0], options = {}) => {
        const { y } = await (await lepton.load(source, options)).run({ x });
        return [...(y!.data as Float32Array)];
      };
      const bytes = await (await fetch('/deep/external.onnx')).arrayBuffer();
      const parts = await (await fetch('/deep/parts.bin')).arrayBuffer();
      const lacking = await lepton.load(bytes).catch(({ code, message }) => ({ code, message }));
      return {
        beside: await run('/deep/external.onnx'),
        given: await run(bytes, { externalData: { 'parts.bin': parts } }),
        lacking: lacking as { code: string; message: string },
      };
    });
    expect(seen.beside).toEqual([11, 22, 33, 14, 25, 36]);
    expect(seen.given).toEqual(seen.beside);
    expect(seen.lacking.code).toBe('INVALID_ARGUMENT');
    expect(seen.lacking.message).toContain('parts.bin');
  });

  test('computes in half precision where the adapter can, and says so where it cannot', async () => {
    const seen = await page.evaluate(async () => {
      const x = new lepton.Tensor('float32', [1.0009765625, 2, 3], [1, 3]);
      const run = async (precision: 'auto' | 'float16') => {
        const model = await lepton.load('/dense.onnx', { precision });
        const { y } = await model.run({ x });
        return { type: y!.type, value: (y!.data as Float32Array)[0] as number };
      };
      const half = await run('float16').catch((e) => e.code as string);
      return { half, full: await run('auto') };
    });
    expect(seen.full).toEqual({ type: 'float32', value: 14.5009765625 });
    if (browser.name === 'chromium') expect(seen.half).toBe('UNSUPPORTED_OPERATION');
    // Between 8 and 16 float16 has steps of 1/128.
    else expect(seen.half).toEqual({ type: 'float32', value: 14.5 });
  });

  test('says what it is', async () => {
    const seen = await page.evaluate(async () => ({ version: lepton.version, supported: await lepton.isSupported() }));
    expect(seen.version).toMatch(/^\d+\.\d+\.\d+/);
    expect(seen.supported).toBe(true);
  });
});
