// What page and worker say to each other of models that are trained: types only.

import type { PowerPreference } from '../base/adapter';
import type { PruneOptions, PruneReport } from '../compress/types';
import type { CompileSpec, ModelDescription, ModelSpec } from '../nn/types';
import type { CheckpointInfo } from '../store/checkpoints';
import type { CallId, LoadRequest, Progress, Reply, WireTensor } from './protocol';

/** A new model, or one that was saved. */
export type TrainerSource =
  | { readonly spec: ModelSpec; readonly weights: WireState }
  | { readonly checkpoint: string }
  | { readonly file: Blob };

/** A model to be a layer. */
export interface OpenLayerRequest {
  readonly model: Pick<LoadRequest, 'source' | 'externalData' | 'compilerUrl' | 'cache' | 'integrity'>;
  /** Where the part of the library is that trains. */
  readonly trainerUrl: string;
  /** The value that the layer gives; default the model's first output. */
  readonly output?: string;
}

export interface OpenedLayer {
  /** The layer's option `graph`. */
  readonly graph: string;
  /** Of each input a sample's shape and type. */
  readonly inputs: readonly { readonly shape: readonly (number | null)[]; readonly dtype: 'float32' | 'int32' }[];
  /** By the layer's own names. */
  readonly weights: WireState;
}

export interface CreateTrainerRequest {
  readonly source: TrainerSource;
  /** What initial weights, dropout and augmentation are drawn from. */
  readonly seed: number;
  /** Where the library's compiler is, and the part that trains. */
  readonly compilerUrl: string;
  readonly trainerUrl: string;
  readonly powerPreference?: PowerPreference;
}

export interface CreatedTrainer {
  readonly id: number;
  readonly spec: ModelSpec;
  readonly description: ModelDescription;
  /** Of a model that was saved, as it was being trained. */
  readonly compile?: CompileSpec;
  readonly learningRate?: number;
}

/** What of a model under training only the page knows is saved along. */
export interface PackRequest {
  readonly trainer: number;
  readonly learningRate: number;
}

export interface BatchRequest {
  readonly trainer: number;
  readonly kind: 'train' | 'evaluate';
  /** Of the model's inputs, and of what its outputs are compared with: float32, int32 or uint8, the batch first. */
  readonly inputs: readonly WireTensor[];
  readonly targets: readonly WireTensor[];
  /** One number a sample; default 1. */
  readonly sampleWeight?: WireTensor;
  /** For 'train'. */
  readonly learningRate: number;
}

/** What a batch gave. */
export interface BatchReport {
  /** Mean over the samples, with weights and penalties. */
  readonly loss: number;
  /** Each output's own. */
  readonly losses: readonly number[];
  /** For each output, for each of its metrics: totals that add up over batches. */
  readonly metrics: readonly (readonly (readonly number[])[])[];
}

export interface PredictRequest {
  readonly trainer: number;
  readonly inputs: readonly WireTensor[];
}

/** Tensors by name: weights alone, or with what the optimiser keeps. */
export type WireState = Readonly<Record<string, WireTensor>>;

export interface TrainingApi {
  openLayer(
    call: CallId,
    request: OpenLayerRequest,
    onProgress?: (progress: Progress) => void,
  ): Promise<Reply<OpenedLayer>>;
  createTrainer(request: CreateTrainerRequest): Promise<Reply<CreatedTrainer>>;
  compileTrainer(request: { readonly trainer: number; readonly compile: CompileSpec }): Promise<Reply<void>>;
  trainerBatch(request: BatchRequest): Promise<Reply<BatchReport>>;
  trainerPredict(request: PredictRequest): Promise<Reply<WireTensor[]>>;
  trainerState(request: { readonly trainer: number; readonly optimizer: boolean }): Promise<Reply<WireState>>;
  /** Names that are not mentioned stay as they are. */
  setTrainerState(request: { readonly trainer: number; readonly state: WireState }): Promise<Reply<void>>;
  /** Makes the weights zero that matter least; in further training they stay so. */
  pruneTrainer(request: { readonly trainer: number; readonly options: PruneOptions }): Promise<Reply<PruneReport>>;
  /** The model with its weights as they are, for inference: ONNX. */
  exportTrainer(trainer: number): Promise<Reply<Uint8Array<ArrayBuffer>>>;
  /** Architecture, weights and what the optimiser keeps, as safetensors. */
  packTrainer(request: PackRequest): Promise<Reply<Uint8Array<ArrayBuffer>>>;
  /** These weights alone, as safetensors. */
  packWeights(request: {
    readonly trainer: number;
    readonly names: readonly string[];
  }): Promise<Reply<Uint8Array<ArrayBuffer>>>;
  /** Takes the weights of a safetensors file. */
  loadWeights(request: { readonly trainer: number; readonly file: Blob }): Promise<Reply<void>>;
  /** The same, into the store of checkpoints. */
  saveTrainer(request: PackRequest & { readonly name: string }): Promise<Reply<void>>;
  checkpoints(): Promise<Reply<CheckpointInfo[]>>;
  deleteCheckpoint(name: string): Promise<Reply<boolean>>;
  disposeTrainer(trainer: number): Promise<Reply<void>>;
}
