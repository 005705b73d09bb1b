// WebGPU reports errors later and elsewhere; a scope around synchronous work brings them back to it.

import { LeptonError } from '../base/errors';

/**
 * Does the work and waits for what WebGPU says of it.
 * @param bytes what the work allocates, for the message
 * @throws OUT_OF_MEMORY, GPU_ERROR
 */
export async function scoped<T>(device: GPUDevice, what: string, bytes: number, work: () => T): Promise<T> {
  device.pushErrorScope('validation');
  device.pushErrorScope('out-of-memory');
  let result: T;
  let popped: Promise<[GPUError | null, GPUError | null]>;
  try {
    result = work();
  } finally {
    // Both at once: between two turns another scope could be pushed.
    popped = Promise.all([device.popErrorScope(), device.popErrorScope()]);
    popped.catch(() => {});
  }
  const [memory, invalid] = await popped;
  if (memory) {
    throw new LeptonError(
      'OUT_OF_MEMORY',
      `The GPU could not allocate the ${(bytes / 2 ** 20).toFixed(1)} MiB that ${what} needs: ${memory.message}. ` +
        'Dispose of other models and GPU tensors, or use smaller inputs.',
      { details: { bytes } },
    );
  }
  if (invalid) throw new LeptonError('GPU_ERROR', `WebGPU refused what ${what} needs: ${invalid.message}`);
  return result;
}
