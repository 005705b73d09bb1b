// Waiting for what the GPU has written to be readable. Browsers look for finished maps only now and then, Firefox
// about every 100 ms and Chromium every 2 ms, but also when something is submitted.

/** Maps the first `bytes` of a buffer for reading, after all that was submitted before. */
export async function mapForReading(device: GPUDevice, buffer: GPUBuffer, bytes = buffer.size): Promise<ArrayBuffer> {
  const mapped = buffer.mapAsync(GPUMapMode.READ, 0, bytes);
  await noticed(device, mapped);
  return buffer.getMappedRange(0, bytes);
}

const nothing: readonly GPUCommandBuffer[] = [];

/**
 * Waits for a promise that the browser settles when it looks, which short work would mostly wait for: makes it look
 * every millisecond, or as often as timers are let run.
 */
export async function noticed(device: GPUDevice, promise: Promise<undefined>): Promise<void> {
  const look = () => device.queue.submit(nothing);
  look();
  const timer = setInterval(look, 1);
  try {
    await promise;
  } finally {
    clearInterval(timer);
  }
}
