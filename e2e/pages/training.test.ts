// Training on the built library in real browsers: layers, fit, saving, coming back, and what a page downloads for it.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeBrowsers, type TestPage } from '../support/browsers';
import { startLeptonServer } from '../support/lepton-page';
import type { TestServer } from '../support/server';
import { dense } from './models';

declare const lepton: typeof import('../../src/api') & typeof import('../../src/api/training');

/** On the page: two moons of points, and the classes 0 and 1. */
const moonsScript = `globalThis.moons = (count) => {
  const points = Array.from({ length: count }, (_, i) => {
    const t = (Math.PI * (i >> 1)) / (count / 2);
    return i % 2 ? [1 - Math.cos(t), 0.5 - Math.sin(t)] : [Math.cos(t), Math.sin(t)];
  });
  return { xs: points, ys: Int32Array.from(points, (_, i) => i % 2) };
}`;
declare function moons(count: number): { xs: number[][]; ys: Int32Array };

describeBrowsers('training in a page', (browser) => {
  let server: TestServer;
  let page: TestPage;
  beforeAll(async () => {
    server = await startLeptonServer();
    server.put('/dense.onnx', { bytes: dense });
    const scripts = ['lepton.js', 'lepton-training.js'].map((file) => `<script src="/dist/${file}"></script>`);
    server.put('/train', {
      text: `<!doctype html><title>Training</title>${scripts.join('')}<script>${moonsScript}</script>`,
      headers: { 'Content-Type': 'text/html' },
    });
    page = await browser.newPage();
    await page.goto(`${server.url}/train`);
  });
  afterAll(async () => {
    await page.close();
    await server.close();
  });

  test('fits, validates, calls back, predicts', async () => {
    const seen = await page.evaluate(async () => {
      const { layers, sequential, callbacks } = lepton;
      const model = sequential([
        layers.dense({ units: 16, activation: 'tanh', inputShape: [2] }),
        layers.dense({ units: 2, activation: 'softmax' }),
      ]);
      model.compile({
        optimizer: { name: 'adam', learningRate: 0.03 },
        loss: 'sparseCategoricalCrossentropy',
        metrics: ['accuracy'],
      });
      await model.build({ seed: 3 });
      const { text, parameters } = await model.summary();
      const { xs, ys } = moons(400);
      const lines: string[] = [];
      const batches: number[] = [];
      const { history } = await model.fit(xs, ys, {
        epochs: 12,
        batchSize: 32,
        seed: 1,
        validationData: [xs, ys],
        callbacks: [
          callbacks.logger((line) => lines.push(line)),
          callbacks.reduceLROnPlateau({ monitor: 'loss', patience: 5 }),
          { onBatchEnd: (batch) => void batches.push(batch) },
        ],
      });
      const { accuracy, loss } = await model.evaluate(xs, ys);
      const [answer] = await model.predict(xs.slice(0, 5));
      const onnx = await model.toOnnx();
      const loaded = await lepton.load(onnx);
      const input = loaded.inputs[0]!;
      const x = new lepton.Tensor('float32', xs.slice(0, 5).flat(), [5, 2]);
      const again = await loaded.run({ [input.name]: x });
      const both = [answer!.data, again[loaded.outputs[0]!.name]!.data].map((data) => [...(data as Float32Array)]);
      await model.dispose();
      return {
        text,
        parameters,
        history,
        lines,
        batches: batches.length,
        accuracy,
        loss,
        dims: answer!.dims,
        input,
        both,
      };
    });
    expect(seen.parameters).toBe(2 * 16 + 16 + 16 * 2 + 2);
    expect(seen.text).toContain('dense (Dense)');
    expect(seen.history.loss).toHaveLength(12);
    expect(seen.history.loss?.at(-1)).toBeLessThan(seen.history.loss?.[0] as number);
    expect(Object.keys(seen.history)).toEqual(['loss', 'accuracy', 'val_loss', 'val_accuracy']);
    expect(seen.lines[0]).toBe('epoch,loss,accuracy,val_loss,val_accuracy');
    expect(seen.lines).toHaveLength(13);
    expect(seen.batches).toBe(12 * 13);
    expect(seen.accuracy).toBeGreaterThan(0.9);
    expect(seen.dims).toEqual([5, 2]);
    expect(seen.input.shape).toEqual(['batch', 2]);
    const [own = [], exported = []] = seen.both;
    own.forEach((value, i) => {
      expect(exported[i]).toBeCloseTo(value, 4);
    });
  });

  test('a model that is saved goes on where it was, in another page', async () => {
    const before = await page.evaluate(async () => {
      const { layers, sequential } = lepton;
      const model = sequential([
        layers.dense({ units: 8, activation: 'relu', inputShape: [2] }),
        layers.dropout({ rate: 0.1 }),
        layers.dense({ units: 1, activation: 'sigmoid' }),
      ]);
      model.compile({
        optimizer: { name: 'adam', learningRate: 0.02 },
        loss: 'binaryCrossentropy',
        metrics: ['accuracy'],
      });
      const { xs, ys } = moons(200);
      await model.fit(xs, ys, { epochs: 3 });
      await model.save('indexeddb://moons');
      model.learningRate = 0.005;
      await model.save('indexeddb://moons');
      return model.evaluate(xs, ys);
    });
    await page.goto(`${server.url}/train`);
    const after = await page.evaluate(async () => {
      const model = await lepton.loadModel('indexeddb://moons');
      const { xs, ys } = moons(200);
      const evaluated = await model.evaluate(xs, ys);
      const rate = model.learningRate;
      await model.fit(xs, ys, { epochs: 1 });
      const kept = await lepton.checkpoints.list();
      const copy = await lepton.loadModel(await model.toSafetensors());
      const same = (await copy.evaluate(xs, ys)).loss === (await model.evaluate(xs, ys)).loss;
      const missing = await lepton.loadModel('indexeddb://nothing').catch((error) => error.message);
      return {
        evaluated,
        rate,
        kept: kept.map(({ name }) => name),
        same,
        missing,
        gone: await lepton.checkpoints.delete('moons'),
      };
    });
    expect(after.evaluated.accuracy).toBe(before.accuracy);
    expect(after.evaluated.loss).toBeCloseTo(before.loss as number, 6);
    expect(after.rate).toBe(0.005);
    expect(after.kept).toEqual(['moons']);
    expect(after.same).toBe(true);
    expect(after.missing).toContain('There is no checkpoint "nothing"; there are "moons".');
    expect(after.gone).toBe(true);
  });

  test('can be aborted, and goes on', async () => {
    const seen = await page.evaluate(async () => {
      const { layers, sequential } = lepton;
      const model = sequential([layers.dense({ units: 1, inputShape: [2] })]);
      model.compile({ loss: 'meanSquaredError' });
      const controller = new AbortController();
      const { xs, ys } = moons(200);
      const code = await model
        .fit(xs, Float32Array.from(ys), {
          epochs: 100,
          signal: controller.signal,
          callbacks: [{ onEpochEnd: (epoch) => (epoch === 2 ? controller.abort() : undefined) }],
        })
        .catch((error) => error.code);
      const { epoch } = await model.fit(xs, Float32Array.from(ys), { epochs: 2 });
      return { code, epoch };
    });
    expect(seen).toEqual({ code: 'ABORTED', epoch: [0, 1] });
  });

  test('trains a model from a file, with a head of its own', async () => {
    const seen = await page.evaluate(async () => {
      const stages = new Set<string>();
      const base = await lepton.loadLayer('/dense.onnx', {
        output: 'y',
        trainable: false,
        onProgress: ({ stage }) => stages.add(stage),
      });
      const model = lepton.sequential([base, lepton.layers.dense({ units: 1 })]);
      model.compile({ optimizer: { name: 'sgd', learningRate: 0.001 }, loss: 'meanSquaredError' });
      const before = await model.getWeights();
      const x = {
        type: 'float32' as const,
        dims: [4, 3],
        data: Float32Array.from({ length: 12 }, (_, i) => (i % 5) / 5),
      };
      const { history } = await model.fit(x, Float32Array.of(1, 2, 3, 4), { epochs: 30, shuffle: false });
      const after = await model.getWeights();
      const head = await model.weightsToSafetensors((name) => name.startsWith('dense'));
      await model.setWeights(before);
      await model.loadWeights(head);
      const again = await model.getWeights();
      const restored = Object.keys(after).every((name) => again[name]!.data.join() === after[name]!.data.join());
      const wrong = await model.loadWeights(new Uint8Array(20)).catch((error) => error.code);
      const same = (name: string) => after[name]!.data.join() === before[name]!.data.join();
      return {
        stages: [...stages],
        restored,
        wrong,
        loss: history.loss,
        frozen: Object.keys(after).map((name) => [name, same(name)]),
      };
    });
    expect(seen.loss?.at(-1)).toBeLessThan(seen.loss?.[0] as number);
    expect(seen.stages).toContain('download');
    expect(seen.restored).toBe(true);
    expect(seen.wrong).toBe('INVALID_MODEL');
    for (const [name, same] of seen.frozen) expect(same, name as string).toBe((name as string).startsWith('onnx'));
  });

  test('a layer is adapted to the data, and goes into the file with what it learnt', async () => {
    const seen = await page.evaluate(async () => {
      const { layers, sequential } = lepton;
      const x = Array.from({ length: 64 }, (_, i) => [1000 + i, -0.001 * (i % 8)]);
      const scale = await layers.normalization({ inputShape: [2] }).adapt(x);
      const model = sequential([scale, layers.dense({ units: 1 })]);
      model.compile({ optimizer: { name: 'sgd', learningRate: 0.1 }, loss: 'meanSquaredError' });
      const { history } = await model.fit(
        x,
        Float32Array.from(x, ([a, b]) => a! / 10 + 1000 * b!),
        { epochs: 20 },
      );
      const late = await scale.adapt(x).catch((error) => error.message);
      const answer = async (url: Uint8Array<ArrayBuffer>) => {
        const [y] = await (await lepton.loadModel(url)).predict(x.slice(0, 4));
        return [...y!.data];
      };
      const [own] = await model.predict(x.slice(0, 4));
      const kept = await answer(await model.toSafetensors());
      const loaded = await lepton.load(await model.toOnnx());
      const feed = new lepton.Tensor('float32', x.slice(0, 4).flat(), [4, 2]);
      const exported = (await loaded.run({ [loaded.inputs[0]!.name]: feed }))[loaded.outputs[0]!.name]!;
      return { loss: history.loss!, late, own: [...own!.data], kept, exported: [...(exported.data as Float32Array)] };
    });
    expect(seen.loss.at(-1)).toBeLessThan(0.1 * (seen.loss[0] as number));
    expect(seen.late).toContain('has its weights already: adapt() comes before them');
    expect(seen.kept).toEqual(seen.own);
    seen.own.forEach((value, i) => {
      expect(seen.exported[i]).toBeCloseTo(value, 3);
    });
  });

  test('mistakes are told with the layer, the option or the data at fault', async () => {
    const messages = await page.evaluate(async () => {
      const { layers, sequential } = lepton;
      const message = async (work: () => unknown) => {
        try {
          await work();
          return 'nothing';
        } catch (error) {
          return `${(error as { code: string }).code}: ${(error as Error).message}`;
        }
      };
      const model = sequential([layers.dense({ units: 2, inputShape: [3] })]);
      return [
        await message(() => model.fit([[1, 2, 3]], [[1, 2]])),
        await message(() => {
          model.compile({ loss: 'meanSquaredError' });
          return model.fit([[1, 2]], [[1, 2]]);
        }),
        await message(() => sequential([layers.dense({ units: 0, inputShape: [3] })]).summary()),
        await message(() =>
          model.fit(
            [[1, 2, 3]],
            [
              [1, 2],
              [3, 4],
            ],
          ),
        ),
        await message(() => model.fit([], [])),
        await message(() => model.compile({ optimizer: { name: 'adam', beta: 1 }, loss: 'meanSquaredError' })),
      ];
    });
    expect(messages[0]).toContain('INVALID_ARGUMENT: The model was not compiled');
    expect(messages[1]).toContain('INVALID_INPUT: Input "input" must be float32[batch, 3], but x is float32[1, 2]');
    expect(messages[2]).toContain('units = 0; expected a whole number from 1');
    expect(messages[3]).toContain('ys has 2 samples, but xs has 1');
    expect(messages[4]).toContain('INVALID');
    expect(messages[5]).toContain('INVALID_ARGUMENT: The optimiser "adam" has no option "beta"; it has learningRate,');
  });
});
