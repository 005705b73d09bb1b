// Gets the compiler, and the part that trains, into the built-in worker: each once, from the files beside the library.

import { LeptonError } from '../base/errors';
import type { Compiler } from './compiler';
import type { TrainerPlaces, TrainingPart } from './training-part';

declare const importScripts: (url: string) => void;

interface Loaded {
  readonly leptonCompiler: Compiler;
  readonly leptonTrainer: TrainingPart;
}

const loading = new Map<string, Promise<Loaded>>();

/** @throws WORKER_FAILED where the file cannot be loaded */
export async function fetchCompiler(url: string): Promise<Compiler> {
  return (await once(url)).leptonCompiler;
}

/** Needs the compiler, and gets it. */
export async function fetchTrainer({ compilerUrl, trainerUrl }: TrainerPlaces): Promise<TrainingPart> {
  await once(compilerUrl);
  return (await once(trainerUrl)).leptonTrainer;
}

function once(url: string): Promise<Loaded> {
  const known = loading.get(url) ?? load(url);
  loading.set(url, known);
  // Another try may find the network back.
  known.catch(() => loading.delete(url));
  return known;
}

async function load(url: string): Promise<Loaded> {
  try {
    try {
      // Unlike importScripts it does not hold up the worker while the file is on its way.
      await import(/* @vite-ignore */ url);
    } catch {
      // Where another origin does not allow modules (CORS), and where classic workers cannot import any.
      importScripts(url);
    }
    return globalThis as unknown as Loaded;
  } catch (cause) {
    const file = new URL(url).pathname.split('/').at(-1);
    throw new LeptonError(
      'WORKER_FAILED',
      `A part of Lepton could not be loaded from ${url}. Serve ${file} beside lepton.js, or pass ` +
        "{ workerUrl: '/worker.js' }: that file contains everything.",
      { cause, details: { url } },
    );
  }
}
