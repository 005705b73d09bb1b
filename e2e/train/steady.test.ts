// A step of training like the last one makes nothing on the GPU: no buffer, no bind group, no pipeline. What there is was
// made for the first steps.

import { afterEach, beforeEach, expect, it } from 'vitest';
import type { CompileSpec, ModelSpec } from '../../src/nn/types';
import { training } from '../../src/train';
import { Devices } from '../../src/worker/devices';
import { makeRunner } from '../../src/worker/make-runner';
import { Trainer } from '../../src/worker/trainer';
import { describeDawn } from '../support/dawn';
import { mulberry32 } from '../support/random';
import { wire } from './batch';
import { sequence } from './networks';

const compile = (optimizer: string, loss: string): CompileSpec => ({
  optimizer: { name: optimizer },
  losses: [{ name: loss }],
  lossWeights: [1],
  metrics: [[]],
});

const network = sequence('small', { shape: [12, 12, 1], dtype: 'float32' }, [
  ['Conv2D', { filters: 4, kernelSize: 3, activation: 'relu' }],
  ['BatchNormalization'],
  ['MaxPooling2D', { poolSize: 2 }],
  ['Flatten'],
  ['Dropout', { rate: 0.2 }],
  ['Dense', { units: 3, activation: 'softmax' }],
]);

const recurrent = sequence('recurrent', { shape: [5, 4], dtype: 'float32' }, [
  ['LSTM', { units: 6 }],
  ['Dense', { units: 1 }],
]);

const samples = 8;
const random = mulberry32(2);
const floats = (length: number) => Float32Array.from({ length }, () => 2 * random() - 1);
const labels = Int32Array.from({ length: samples }, (_, i) => i % 3);

describeDawn('training in the steady state', (dawn) => {
  /** Names of what was made on the devices, in order. */
  let made: string[];
  let trainer: Trainer;
  beforeEach(() => {
    made = [];
  });
  afterEach(() => trainer.dispose());

  const cases: [string, ModelSpec, CompileSpec, ReturnType<typeof wire>, ReturnType<typeof wire>][] = [
    [
      'a convolutional network with Adam',
      network,
      compile('adam', 'sparseCategoricalCrossentropy'),
      wire(floats(samples * 144), [samples, 12, 12, 1]),
      wire(labels, [samples]),
    ],
    [
      'an LSTM with RMSprop',
      recurrent,
      compile('rmsprop', 'meanSquaredError'),
      wire(floats(samples * 20), [samples, 5, 4]),
      wire(floats(samples), [samples, 1]),
    ],
  ];

  it.each(cases)('%s', async (_name, spec, how, x, y) => {
    const devices = new Devices(recording(dawn.gpu, made));
    trainer = new Trainer({ spec, seed: 1, training, makeRunner, devices, snapshotInterval: Number.POSITIVE_INFINITY });
    await trainer.build();
    await trainer.compile(how);
    const step = () => trainer.batch({ trainer: 0, kind: 'train', inputs: [x], targets: [y], learningRate: 0.01 });
    const first = await step();
    expect(made).not.toEqual([]);
    await step();
    made.length = 0;
    for (let i = 0; i < 20; i++) await step();
    expect(made).toEqual([]);
    expect((await step()).loss).toBeLessThan(first.loss);
    // As `fit` has them: the next begins before the last one's loss is read, which takes a staging buffer each.
    await Promise.all([step(), step(), step()]);
    const staging = made.length;
    expect(staging).toBeLessThanOrEqual(2);
    for (let i = 0; i < 5; i++) await Promise.all([step(), step(), step()]);
    expect(made.length).toBe(staging);
  });
});

/** The same WebGPU, of which every device writes down what it makes. Encoders and their passes are made for every submit. */
function recording(gpu: GPU, made: string[]): GPU {
  return {
    requestAdapter: async (options?: GPURequestAdapterOptions) => {
      const adapter = await gpu.requestAdapter(options);
      if (!adapter) return null;
      const requestDevice = adapter.requestDevice.bind(adapter);
      return Object.assign(adapter, {
        requestDevice: async (descriptor?: GPUDeviceDescriptor) => record(await requestDevice(descriptor), made),
      });
    },
  } as GPU;
}

function record(device: GPUDevice, made: string[]): GPUDevice {
  const methods = [
    'createBuffer',
    'createTexture',
    'createBindGroup',
    'createComputePipeline',
    'createQuerySet',
  ] as const;
  for (const name of [...methods, 'createComputePipelineAsync', 'createShaderModule'] as const) {
    const make = (device[name] as (descriptor: unknown) => unknown).bind(device);
    Object.assign(device, {
      [name]: (descriptor: GPUObjectDescriptorBase) => {
        made.push(`${name} ${descriptor.label ?? ''}`);
        return make(descriptor);
      },
    });
  }
  return device;
}
