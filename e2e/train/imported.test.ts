// Models from files train too: frozen below a new head, adapted by LoRA, and written as ONNX that onnxruntime computes
// alike.

import { afterEach, expect, it } from 'vitest';
import { type NDArray, ndarray } from '../../src/base/ndarray';
import type { ModelSpec } from '../../src/nn/types';
import { readOnnx } from '../../src/read/onnx';
import { training } from '../../src/train';
import { Devices } from '../../src/worker/devices';
import { makeRunner } from '../../src/worker/make-runner';
import type { WireTensor } from '../../src/worker/protocol';
import { Trainer } from '../../src/worker/trainer';
import { dataPath, describeWithData } from '../support/data';
import { describeDawn } from '../support/dawn';
import { MemorySource } from '../support/memory-source';
import { makeModel } from '../support/onnx-writer';
import { ortRun } from '../support/oracle';
import { batchOf, floatsOf, wire } from './batch';
import { digits } from './digits';
import { behind, imported, importedBytes, stateOf } from './imported';

const losses = [{ name: 'sparseCategoricalCrossentropy', config: { fromLogits: true } }];

/** Channels in front, as the models have them. */
function firstBatch(data: ReturnType<typeof digits>, at: number, size: number) {
  const { inputs, targets } = batchOf(data, at, size);
  return { inputs: inputs.map((x) => ({ ...x, dims: [size, 1, 28, 28] })), targets };
}

describeWithData('training imported models', () => {
  describeDawn('in Node', (dawn) => {
    let trainer: Trainer | undefined;
    afterEach(() => trainer?.dispose());

    async function trainerOf(spec: ModelSpec, layer: Awaited<ReturnType<typeof imported>>): Promise<Trainer> {
      const made = new Trainer({ spec, seed: 2, training, makeRunner, devices: new Devices(dawn.gpu) });
      trainer = made;
      await made.build();
      await made.setState(stateOf(layer.weights));
      await made.compile({ optimizer: { name: 'adam' }, losses, lossWeights: [1], metrics: [[{ name: 'accuracy' }]] });
      return made;
    }

    it('a new head on a frozen classifier, and out again as ONNX', async () => {
      const layer = await imported(dataPath('models', 'mnist-onnxzoo', 'model.onnx'), 'Pooling160_Output_0');
      const spec = behind(layer, { trainable: false }, [['Flatten'], ['Dense', { units: 10 }]]);
      const model = await trainerOf(spec, layer);
      const before = await model.state(false);
      const data = digits('train', 3200);
      for (let i = 0; i < 100; i++) {
        await model.batch({ trainer: 0, kind: 'train', learningRate: 0.01, ...firstBatch(data, i * 32, 32) });
      }
      const after = await model.state(false);
      for (const { name } of layer.weights) {
        expect(after[`OnnxModel_0/${name}`]).toEqual(before[`OnnxModel_0/${name}`]);
      }
      const test = firstBatch(digits('t10k', 500), 0, 500);
      const report = await model.batch({ trainer: 0, kind: 'evaluate', learningRate: 0, ...test });
      expect((report.metrics[0]?.[0]?.[0] as number) / 500).toBeGreaterThan(0.93);

      const x = test.inputs[0] as WireTensor;
      const expected = (await model.predict(test.inputs))[0] as WireTensor;
      const outputs = await ortRun(await model.exportOnnx(), { x: ndarray('float32', x.dims, floatsOf(x)) });
      const got = outputs[spec.outputs[0] as string] as NDArray;
      expect(got.dims).toEqual([500, 10]);
      const want = floatsOf(expected);
      const scale = Math.max(...want.map(Math.abs));
      for (const [i, value] of want.entries()) {
        expect(Math.abs((got.data[i] as number) - value) / scale).toBeLessThan(1e-4);
      }
    });

    it('adapters of low rank learn, what they adapt stays', async () => {
      const layer = await imported(dataPath('models', 'cifar10-cnn-winml', 'ImageClassifier.onnx'));
      const spec = behind(layer, { config: { loraRank: 2 } }, [['Activation', { activation: 'linear' }]]);
      const model = await trainerOf(spec, layer);
      const before = await model.state(false);
      const random = digits('train', 32);
      const x = wire(random.images.slice(0, 8 * 3 * 32 * 32), [8, 3, 32, 32]);
      const batch = { inputs: [x], targets: [wire(random.labels.subarray(0, 8), [8])] };
      const loss: number[] = [];
      for (let i = 0; i < 40; i++) {
        loss.push((await model.batch({ trainer: 0, kind: 'train', learningRate: 0.02, ...batch })).loss);
      }
      expect(loss.at(-1)).toBeLessThan((loss[0] as number) / 2);
      const after = await model.state(false);
      const changed = Object.keys(after).filter(
        (name) => floatsOf(after[name] as WireTensor).join() !== floatsOf(before[name] as WireTensor).join(),
      );
      expect(changed.sort()).toEqual(['OnnxModel_0/fc1.weight.lora_a', 'OnnxModel_0/fc1.weight.lora_b']);
    });

    it('all of an imported model trains', async () => {
      const layer = await imported(dataPath('models', 'mnist-onnxzoo', 'model.onnx'));
      const model = await trainerOf(behind(layer, {}, [['Activation', { activation: 'linear' }]]), layer);
      const data = digits('train', 640);
      // The digits it knows already.
      const other = { ...data, labels: data.labels.map((label) => (label + 1) % 10) };
      const before = await model.state(false);
      const loss: number[] = [];
      for (let i = 0; i < 20; i++) {
        const batch = firstBatch(other, i * 32, 32);
        loss.push((await model.batch({ trainer: 0, kind: 'train', learningRate: 0.001, ...batch })).loss);
      }
      const after = await model.state(false);
      expect(after['OnnxModel_0/Parameter5']).not.toEqual(before['OnnxModel_0/Parameter5']);
      expect(loss.slice(-5).reduce((a, b) => a + b)).toBeLessThan(loss.slice(0, 5).reduce((a, b) => a + b));
    });

    it('what is pruned of an imported model stays zero, and the rest learns', async () => {
      const layer = await imported(dataPath('models', 'mnist-onnxzoo', 'model.onnx'));
      const model = await trainerOf(behind(layer, {}, [['Flatten'], ['Dense', { units: 10 }]]), layer);
      const data = digits('train', 640);
      const learn = async (from: number, to: number) => {
        for (let i = from; i < to; i++) {
          await model.batch({ trainer: 0, kind: 'train', learningRate: 0.001, ...firstBatch(data, i * 32, 32) });
        }
      };
      await learn(0, 3);
      const { pruned } = await model.prune({ sparsity: 0.9, scope: 'layer' });
      const imports = ['Parameter193', 'Parameter5', 'Parameter87'].map((name) => `OnnxModel_0/${name}`);
      expect(Object.keys(pruned).sort()).toEqual(['Dense_2/kernel', ...imports]);
      for (const share of Object.values(pruned)) expect(share).toBeCloseTo(0.9, 2);
      const before = await model.state(false);
      await learn(3, 10);
      const after = await model.state(false);
      for (const name of Object.keys(pruned)) {
        const [old, now] = [before, after].map((state) => floatsOf(state[name] as WireTensor));
        expect(old?.some((value, i) => value === 0 && now?.[i] !== 0)).toBe(false);
        expect(old?.some((value, i) => value !== now?.[i])).toBe(true);
      }
    });

    it('of sparse weights learns what the file has, and they leave as they came', async () => {
      const places = [1, 5, 6, 11];
      const bytes = makeModel({
        nodes: [{ op: 'MatMul', inputs: ['x', 'w'], outputs: ['y'] }],
        inputs: [{ name: 'x', dtype: 'float32', shape: ['batch', 4] }],
        outputs: [{ name: 'y', dtype: 'float32', shape: ['batch', 3] }],
        sparseInitializers: [
          {
            values: { name: 'w', dtype: 'float32', dims: [4], data: [1, -1, 0.5, 2] },
            indices: { dtype: 'int64', dims: [4], data: places },
            dims: [4, 3],
          },
        ],
      });
      const layer = await importedBytes(bytes);
      const model = await trainerOf(behind(layer, {}, [['Activation', { activation: 'linear' }]]), layer);
      const batch = {
        inputs: [
          wire(
            Float32Array.from({ length: 32 }, (_, i) => Math.sin(i)),
            [8, 4],
          ),
        ],
        targets: [
          wire(
            Int32Array.from({ length: 8 }, (_, i) => i % 3),
            [8],
          ),
        ],
      };
      const loss: number[] = [];
      for (let i = 0; i < 20; i++) {
        loss.push((await model.batch({ trainer: 0, kind: 'train', learningRate: 0.05, ...batch })).loss);
      }
      expect(loss.at(-1)).toBeLessThan(loss[0] as number);
      const weights = Object.values(await model.state(false));
      expect(weights.map(({ dims }) => dims)).toEqual([[4]]);
      const { graph } = await readOnnx(new MemorySource(await model.exportOnnx()), {});
      const sparse = graph.nodes.find(({ op }) => op === 'lepton.SparseTensor');
      const written = sparse?.inputs.map((name) => graph.values.get(name)?.constant) ?? [];
      expect(written.map((c) => (c?.kind === 'inline' ? [...c.array.data] : []))).toEqual([
        [...floatsOf(weights[0] as WireTensor)],
        places,
      ]);
    });
  });
});
