// Real networks in Node on Dawn: the whole way from bytes to answer without a page or a worker. The
// executor needs a GPUDevice and the file's bytes, nothing else.

import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { decode, encode, type NDArray } from '../../src/base/ndarray';
import { compiler } from '../../src/worker/compiler';
import { Devices } from '../../src/worker/devices';
import { checkFeeds } from '../../src/worker/feeds';
import { GpuEngine } from '../../src/worker/gpu-engine';
import { GpuTensors } from '../../src/worker/gpu-tensors';
import type { WireTensor } from '../../src/worker/protocol';
import { dataPath, describeWithData, readTensors } from '../support/data';
import { describeDawn } from '../support/dawn';
import { MemorySource } from '../support/memory-source';
import { disagreement } from './compare';
import { pathOf, referenceModels } from './list';

describeWithData('models in Node', () => {
  describeDawn('on Dawn', (dawn) => {
    for (const model of referenceModels) {
      const { reference } = model;
      if (!reference) continue;
      it(model.name, async () => {
        const source = new MemorySource(new Uint8Array(readFileSync(pathOf(model))));
        const signal = new AbortController().signal;
        const { graph } = await compiler.read(source, signal);
        const devices = new Devices(dawn.gpu);
        const engine = new GpuEngine({
          graph,
          compiler,
          files: () => source,
          devices,
          tensors: new GpuTensors(),
          precision: 'auto',
        });
        const infos = graph.inputs.map((name) => {
          const value = graph.values.get(name);
          return { name, type: value?.dtype ?? 'float32', shape: value?.dims ?? [] };
        });
        const inputs = readTensors(dataPath(...reference), 'input');
        const feeds = Object.fromEntries(
          infos.map(({ name, type }, i): [string, WireTensor] => {
            const array = inputs[i] as (typeof inputs)[number];
            return [name, { type, dims: array.dims, bytes: encode({ ...array, dtype: type }) }];
          }),
        );
        try {
          const results = await engine.run(checkFeeds(infos, feeds), {
            outputs: graph.outputs,
            onGpu: () => false,
            signal,
          });
          const expected = readTensors(dataPath(...reference), 'output');
          const got = graph.outputs.map((name): [string, NDArray] => {
            const { type, dims, bytes } = results.get(name) as WireTensor;
            return [name, decode(type, dims, bytes)];
          });
          const want = graph.outputs.map((name, i): [string, NDArray] => [name, expected[i] as NDArray]);
          expect(disagreement(Object.fromEntries(got), Object.fromEntries(want), model.tolerance)).toEqual([]);
        } finally {
          engine.dispose();
          (await devices.get()).device.handle.destroy();
        }
      });
    }
  });
});
