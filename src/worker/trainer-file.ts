// A model under training as one file: safetensors, with everything that is no tensor as JSON in the metadata.

import { LeptonError } from '../base/errors';
import type { CompileSpec, ModelSpec } from '../nn/types';
import { readSafetensors } from '../read/safetensors';
import { blobSource } from '../store';
import { writeSafetensors } from '../write/safetensors';
import type { WireState } from './training-protocol';

export interface TrainerFile {
  readonly spec: ModelSpec;
  readonly compile?: CompileSpec;
  readonly learningRate?: number;
  /** Weights of which what is zero stays zero. */
  readonly pruned?: readonly string[];
  /** Weights, and what the optimiser keeps. */
  readonly state: WireState;
}

/** The key of the metadata that says what the file is. */
const key = 'lepton.model';

export function packTrainer({ state, ...described }: TrainerFile): Uint8Array<ArrayBuffer> {
  return writeSafetensors(tensorsOf(state), { [key]: JSON.stringify(described) });
}

/** Tensors alone. */
export function packState(state: WireState): Uint8Array<ArrayBuffer> {
  return writeSafetensors(tensorsOf(state));
}

function tensorsOf(state: WireState) {
  return Object.entries(state).map(([name, { type, dims, bytes }]) => ({ name, dtype: type, dims, bytes }));
}

/** @throws INVALID_MODEL where the bytes are no such file */
export async function unpackTrainer(file: Blob): Promise<TrainerFile> {
  const { state, metadata } = await unpackState(file);
  return { ...asDescription(metadata[key]), state };
}

/** @throws INVALID_MODEL where the bytes are no safetensors file */
export async function unpackState(file: Blob) {
  const source = blobSource(file);
  const { tensors, metadata } = await readSafetensors(source);
  const state = [...tensors].map(async ([name, { dtype, dims, offset, length }]) => {
    return [name, { type: dtype, dims, bytes: await source.read(offset, length) }] as const;
  });
  return { state: Object.fromEntries(await Promise.all(state)) as WireState, metadata };
}

function asDescription(text: string | undefined): Omit<TrainerFile, 'state'> {
  try {
    const described = JSON.parse(text ?? '') as Omit<TrainerFile, 'state'>;
    if (Array.isArray(described.spec.layers)) return described;
  } catch {
    // Said below.
  }
  throw new LeptonError(
    'INVALID_MODEL',
    `The file is safetensors, but no model that Lepton saved: its metadata lacks "${key}". Give weights alone to setWeights().`,
  );
}
