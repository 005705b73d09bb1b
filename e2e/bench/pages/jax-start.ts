// Starts jax-js on WebGPU, once.

import { defaultDevice, init } from '@jax-js/jax';

let starting: Promise<void> | undefined;

export function start(): Promise<void> {
  starting ??= begin();
  return starting;
}

async function begin(): Promise<void> {
  const devices = await init('webgpu');
  if (!devices.includes('webgpu')) throw new Error('jax-js found no WebGPU device.');
  defaultDevice('webgpu');
}
