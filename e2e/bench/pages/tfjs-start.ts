// Starts TF.js on WebGPU, once.

import '@tensorflow/tfjs-backend-webgpu';
import * as tf from '@tensorflow/tfjs-core';

let starting: Promise<void> | undefined;

export function start(): Promise<void> {
  starting ??= begin();
  return starting;
}

async function begin(): Promise<void> {
  if (!(await tf.setBackend('webgpu'))) throw new Error('TF.js could not start its WebGPU backend.');
  await tf.ready();
}
