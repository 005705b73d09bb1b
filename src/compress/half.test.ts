// Models that compute in float16: what its range and steps would spoil.

import { describe, expect, test } from 'vitest';
import { noise, runOnHost } from '../../e2e/support/compressing';
import { makeModel } from '../../e2e/support/onnx-writer';
import { ortRun } from '../../e2e/support/oracle';
import { type NDArray, ndarray } from '../base/ndarray';
import { compiler } from '../worker/compiler';
import { runModels } from '../worker/run-models';
import { reportHtml } from './html';
import { compressModel } from './model';
import type { CompressOptions } from './types';

const runner = await runModels({ compiler, signal: new AbortController().signal });

describe('float16', () => {
  /** log(relu(x · w) + ε), with a mask. */
  const modelOf = (weight: number) =>
    makeModel({
      nodes: [
        { op: 'MatMul', name: 'product', inputs: ['x', 'w'], outputs: ['a'] },
        { op: 'Relu', inputs: ['a'], outputs: ['b'] },
        { op: 'Add', inputs: ['b', 'epsilon'], outputs: ['c'] },
        { op: 'Log', inputs: ['c'], outputs: ['d'] },
        { op: 'Mul', inputs: ['zeros', 'mask'], outputs: ['e'] },
        { op: 'Add', inputs: ['d', 'e'], outputs: ['y'] },
      ],
      inputs: [{ name: 'x', dtype: 'float32', shape: ['n', 2] }],
      outputs: [{ name: 'y', dtype: 'float32', shape: ['n', 2] }],
      initializers: [
        { name: 'w', dtype: 'float32', dims: [2, 2], data: [weight, 0, 0, 0.5] },
        { name: 'epsilon', dtype: 'float32', dims: [], data: [1e-10] },
        { name: 'zeros', dtype: 'float32', dims: [2], data: [0, 0] },
        { name: 'mask', dtype: 'float32', dims: [], data: [-3e38] },
      ],
    });
  const inputs = { x: ndarray('float32', [2, 2], [0, 0, 1, 2]) };
  const options: CompressOptions = { quantize: 'float16' };

  test('epsilons stay above zero, and masks finite', async () => {
    const calibration = { data: { inputs }, runner };
    const { bytes, report } = await compressModel(modelOf(1), { options, calibration });
    const theirs = await ortRun(bytes, inputs);
    expect(Array.from(theirs.y?.data ?? []).every(Number.isFinite)).toBe(true);
    expect(report.calibration?.nonFinite).toBeUndefined();
    expect(report.calibration?.outputErrors.y).toBeLessThan(0.3);
  });

  test('weights beyond its range are refused by name', async () => {
    const made = compressModel(modelOf(70000), { options });
    await expect(made).rejects.toThrow(/weights "w" of layer "product" have the number 70000, beyond the 65504/);
    const skipped = compressModel(modelOf(70000), { options: { ...options, skip: ['product'] } });
    await expect(skipped).rejects.toThrow(/weights "w" of layer "product"/);
  });

  test('what is not finite is told', async () => {
    // The references compute halves in wider numbers than GPUs do: here every second model, the compressed one, overflows.
    let opened = 0;
    const overflowing: typeof runner = {
      ...runner,
      async open(model) {
        const run = await runner.open(model);
        if (++opened % 2 === 1) return run;
        const fill = (array: NDArray) => ({ ...array, data: array.data.slice().fill(Number.NaN, 0, 1) });
        const spoilt = (results: Readonly<Record<string, NDArray>>) =>
          Object.fromEntries(Object.entries(results).map(([name, array]) => [name, fill(array)]));
        return { ...run, run: async (feeds) => spoilt(await run.run(feeds)) };
      },
    };
    const calibration = { data: { inputs, labels: [0, 0] }, runner: overflowing };
    const { report } = await compressModel(modelOf(1), { options, calibration });
    expect(report.calibration).toMatchObject({ outputErrors: {}, nonFinite: { y: 1 }, accuracy: { after: 0.5 } });
    expect(report.layers[0]?.note).toBe('gives 1 number that is not finite');
    expect(report.layers[0]).not.toHaveProperty('outputError');
    expect(reportHtml(report, 'model')).toMatch(/not finite<small>1 of its numbers, 2 samples/);
  });

  test('float16 leaves what sizes hang on as it is', async () => {
    const model = makeModel({
      nodes: [
        { op: 'Conv', name: 'conv', inputs: ['x', 'k'], outputs: ['a'] },
        { op: 'Resize', inputs: ['a', '', 's'], outputs: ['y'], attributes: { mode: { string: 'nearest' } } },
      ],
      inputs: [{ name: 'x', dtype: 'float32', shape: [1, 4, 30, 30] }],
      outputs: [{ name: 'y', dtype: 'float32' }],
      initializers: [
        { name: 'k', dtype: 'float32', dims: [4, 4, 1, 1], data: noise(16, 3) },
        { name: 's', dtype: 'float32', dims: [4], data: [1, 1, 2.1333334, 2.1333334] },
      ],
    });
    const { bytes } = await compressModel(model, { options: { quantize: 'float16' } });
    const { y } = await runOnHost(bytes, { x: ndarray('float32', [1, 4, 30, 30], noise(3600, 1)) });
    expect(y?.dims).toEqual([1, 4, 64, 64]);
  });
});
