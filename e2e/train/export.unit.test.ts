// What a trained model is exported as, where its inputs have sizes of their own besides the batch's.

import { expect, it } from 'vitest';
import { readOnnx } from '../../src/read/onnx';
import { training } from '../../src/train';
import { MemorySource } from '../support/memory-source';
import { sequence } from './networks';

it('keeps the batch and other open sizes apart', async () => {
  const spec = sequence('steps', { shape: [null, 3], dtype: 'float32' }, [
    ['Conv1D', { filters: 2, kernelSize: 3, padding: 'same' }],
  ]);
  const weights = training.describe(spec).weights.map((weight, i): [string, Uint8Array] => {
    return [weight.name, new Uint8Array(training.initialise(weight, i).buffer)];
  });
  const bytes = training.onnx(spec, new Map(weights));
  const { graph } = await readOnnx(new MemorySource(bytes), {});
  const [batch, steps, features] = graph.values.get(graph.inputs[0] as string)?.dims ?? [];
  expect([batch, features]).toEqual(['batch', 3]);
  expect(steps).toEqual(expect.any(String));
  expect(steps).not.toBe(batch);
});
