// ONNX Runtime Web in its page, on either of its execution providers. Feeds of resident cases lie in a buffer
// of its own device.

import type { InferenceSession, Tensor } from 'onnxruntime-common';
import { serve } from './page';
import type { Feed } from './runtime';
import { elementsOf } from './typed-arrays';

type Ort = typeof import('onnxruntime-web');

export function serveOrt(ort: Ort, provider: 'webgpu' | 'wasm'): void {
  ort.env.logLevel = 'error';
  serve({
    start: () => Promise.resolve(provider === 'wasm' ? `threads: ${threads(ort)}` : ''),
    async open({ model, resident }, feeds) {
      const session = await ort.InferenceSession.create(model, {
        executionProviders: [provider],
        graphOptimizationLevel: 'all',
        logSeverityLevel: 3,
      });
      const onGpu = resident && provider === 'webgpu';
      const tensors = await Promise.all(feeds.map((feed) => (onGpu ? gpuTensor(ort, feed) : tensorOf(ort, feed))));
      const inputs = Object.fromEntries(feeds.map(({ name }, i) => [name, tensors[i] as Tensor]));
      const fetches = resident ? ['probe'] : session.outputNames;
      return {
        async outputs() {
          const answers = await session.run(inputs);
          return Object.fromEntries(
            Object.entries(answers).map(([name, tensor]) => {
              const { dims, data } = tensor as unknown as { dims: readonly number[]; data: Float32Array };
              return [name, { dims, data }];
            }),
          );
        },
        async run() {
          const answers = await session.run(inputs, fetches);
          for (const tensor of Object.values(answers)) tensor.dispose();
        },
        async dispose() {
          for (const tensor of tensors) tensor.dispose();
          await (session as InferenceSession).release();
        },
      };
    },
  });
}

/** As its documentation gives the default; without cross-origin isolation there is one. */
function threads({ env }: Ort): number {
  if (!crossOriginIsolated) return 1;
  return env.wasm.numThreads || Math.min(4, Math.ceil(navigator.hardwareConcurrency / 2));
}

function tensorOf(ort: Ort, { dtype, dims, bytes }: Feed): Tensor {
  return new ort.Tensor(dtype as 'float32', elementsOf(dtype, bytes), dims);
}

async function gpuTensor(ort: Ort, { dtype, dims, bytes }: Feed): Promise<Tensor> {
  const device = await ort.env.webgpu.device;
  const size = Math.ceil(bytes.length / 16) * 16;
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
  const gpuBuffer = device.createBuffer({ size, usage });
  device.queue.writeBuffer(gpuBuffer, 0, bytes);
  return ort.Tensor.fromGpuBuffer(gpuBuffer, {
    dataType: dtype as 'float32',
    dims,
    dispose: () => gpuBuffer.destroy(),
  });
}
