// Lepton's public face. What is not exported here is nobody's business but ours.

import { version as packageVersion } from '../../package.json';

export type { DType } from '../base/dtype';
export { LeptonError, type LeptonErrorCode } from '../base/errors';
export type { TensorInfo } from '../base/model-info';
export * as data from '../data';
export type { LayerSummary } from '../nn/types';
export type { CheckpointInfo } from '../store/checkpoints';
export type { CachedFile, CacheUsage, HostStep, LoadReport, NodeProfile, Profile, Progress } from '../worker/protocol';
export { type CacheOptions, cache } from './cache';
export { type ImageInput, type ImageOptions, type ImageSource, image } from './image';
export { type LoadOptions, load } from './load';
export type { Feeds, Model, RunOptions } from './model';
export type { ModelSource, SourceOptions } from './model-source';
export * as callbacks from './nn/callbacks';
export type { History } from './nn/fit';
export { type InputOptions, input, type Layer, type SymbolicTensor } from './nn/layer';
export * as layers from './nn/layers';
export { type LoadLayerOptions, loadLayer } from './nn/load-layer';
export { checkpoints, loadModel } from './nn/load-model';
export { type ModelOptions, model, type Network, type Sequential, sequential } from './nn/network';
export type { CompileOptions, LossName, MetricName, OptimizerName } from './nn/options';
export type { Results } from './nn/totals';
export type { BuildOptions, Data, EvaluateOptions, FitOptions } from './nn/trainable';
export { type StartOptions, start } from './start';
export { isSupported } from './support';
export { Tensor } from './tensor';
export type { TensorData, TensorDataMap } from './typed-arrays';

/** Lepton's version, as in package.json. */
export const version: string = packageVersion;
