// Lepton's public face. What is not exported here is nobody's business but ours.

import { version as packageVersion } from '../../package.json';

export type { PowerPreference } from '../base/adapter';
export type { DType } from '../base/dtype';
export { LeptonError, type LeptonErrorCode } from '../base/errors';
export type { TensorInfo } from '../base/model-info';
export type { Sparsity } from '../base/tuning';
export type { CachedFile, CacheUsage, HostStep, LoadReport, NodeProfile, Profile, Progress } from '../worker/protocol';
export { type CacheOptions, cache } from './cache';
export { type ImageInput, type ImageOptions, type ImageSource, image } from './image';
export { type LoadOptions, load } from './load';
export type { Feeds, Model, RunOptions } from './model';
export type { ModelSource, SourceOptions } from './model-source';
/** @internal */
export { shared } from './shared';
export { type StartOptions, start } from './start';
export { isSupported } from './support';
export { Tensor } from './tensor';
export type { TensorData, TensorDataMap } from './typed-arrays';

/** Lepton's version, as in package.json. */
export const version: string = packageVersion;
