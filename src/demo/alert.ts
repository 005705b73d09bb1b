// Failures in words: what happened, what the visitor can do, and the stable code for a report.

import { LeptonError, type LeptonErrorCode } from '../api';
import { element, setText } from './dom';

const titles: Partial<Record<LeptonErrorCode, string>> = {
  DEVICE_LOST: 'The GPU was lost',
  INVALID_MODEL: 'This is not a model',
  NETWORK: 'The download failed',
  NO_ADAPTER: 'No GPU to run on',
  NO_WEBGPU: 'This browser has no WebGPU',
  OUT_OF_MEMORY: 'The GPU’s memory is full',
  STORAGE_QUOTA: 'The browser’s storage is full',
  UNSUPPORTED_MODEL: 'Lepton cannot run this model yet',
};

/** In place of the error's own words, which are for those who call the library. */
const messages: Partial<Record<LeptonErrorCode, string>> = {
  NO_ADAPTER: 'The browser offers this page no GPU: it may be turned off, or its driver may be too old.',
  NO_WEBGPU: 'WebGPU is how a page computes on the GPU, and this browser does not offer it here.',
};

const advice: Partial<Record<LeptonErrorCode, string>> = {
  CACHE_CORRUPT: 'Use "Forget all models" below, then load the model again.',
  DEVICE_LOST: 'The GPU was reset. Load the model again; if it happens often, close other pages that use the GPU.',
  GPU_ERROR: 'Load the model again. If it stays, please report the model and your graphics card.',
  INVALID_MODEL: 'Check that the file is a complete ONNX model, not an address or a text file renamed to .onnx.',
  NETWORK: 'Check the connection, then load the model again: the download goes on where it stopped.',
  NO_ADAPTER: 'Turn on hardware acceleration in the browser’s settings, or update the graphics driver.',
  NO_WEBGPU: 'Use a recent Chrome, Edge, Firefox or Safari, and open the page over https or on localhost.',
  OUT_OF_MEMORY: 'Close other tabs, or try a smaller model.',
  STORAGE_QUOTA: 'Use "Forget all models" below, or free some space on this device.',
  UNSUPPORTED_MODEL: 'This network needs something Lepton does not have yet; the message names it.',
  WORKER_FAILED: 'Reload the page. An extension or a content policy may be blocking workers.',
};

/** The CPU can stand in where there is no GPU; it is slow, so the visitor decides. */
const cpuHelps: ReadonlySet<string> = new Set<LeptonErrorCode>([
  'NO_WEBGPU',
  'NO_ADAPTER',
  'DEVICE_LOST',
  'OUT_OF_MEMORY',
  'GPU_ERROR',
]);

/** `runOnCpu` is offered where the CPU would do what the GPU could not. */
export function showAlert(error: unknown, runOnCpu?: () => void): void {
  const code = error instanceof LeptonError ? error.code : undefined;
  setText('alert-title', (code && titles[code]) ?? 'That did not work');
  setText('alert-message', (code && messages[code]) ?? (error instanceof Error ? error.message : String(error)));
  setText('alert-advice', (code && advice[code]) ?? '');
  setText('alert-code', code ?? '');
  const button = element<HTMLButtonElement>('alert-cpu');
  button.hidden = !code || !cpuHelps.has(code) || !runOnCpu;
  button.onclick = runOnCpu ?? null;
  element('alert').hidden = false;
}

export function hideAlert(): void {
  element('alert').hidden = true;
}

/** Whether nothing at all can run on a GPU here. */
export function lacksGpu(error: unknown): boolean {
  return error instanceof LeptonError && (error.code === 'NO_WEBGPU' || error.code === 'NO_ADAPTER');
}

export function isAbort(error: unknown): boolean {
  return (
    (error instanceof LeptonError && error.code === 'ABORTED') ||
    (error instanceof DOMException && error.name === 'AbortError')
  );
}
