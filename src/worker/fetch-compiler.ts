// Gets the compiler into the built-in worker: once, from the file beside the library.

import { LeptonError } from '../base/errors';
import type { Compiler } from './compiler';

declare const importScripts: (url: string) => void;

let loading: Promise<Compiler> | undefined;

/** @throws WORKER_FAILED where the file cannot be loaded */
export function fetchCompiler(url: string): Promise<Compiler> {
  loading ??= load(url);
  // Another try may find the network back.
  loading.catch(() => {
    loading = undefined;
  });
  return loading;
}

async function load(url: string): Promise<Compiler> {
  try {
    try {
      // Unlike importScripts it does not hold up the worker while the file is on its way.
      await import(/* @vite-ignore */ url);
    } catch {
      // Where another origin does not allow modules (CORS), and where classic workers cannot import any.
      importScripts(url);
    }
    return (globalThis as unknown as { leptonCompiler: Compiler }).leptonCompiler;
  } catch (cause) {
    throw new LeptonError(
      'WORKER_FAILED',
      `Lepton's compiler could not be loaded from ${url}. Serve lepton-compiler.js beside lepton.js, or pass ` +
        "{ workerUrl: '/worker.js' }: that file contains everything.",
      { cause, details: { url } },
    );
  }
}
