// Data to train on: where it comes from, and what is done with it on the way.

export type { TensorLike, TypedArray } from '../base/tensor-like';
export { type ArrayInput, type ArraysInput, fromArrays } from './arrays';
export { Batches, type IterateOptions } from './batches';
export { type CsvColumn, CsvDataset, type CsvOptions, fromCSV } from './csv';
export { type BatchOptions, Dataset, type SampleContext, type ShuffleOptions } from './dataset';
export { type Fold, type FoldOptions, holdOut, kFold } from './folds';
export { fromIDX, type IdxOptions } from './idx';
export { fromImages, type ImageItem, type ImagesOptions } from './images';
export type { DataSource } from './source';
export {
  type FeatureStatistics,
  type MissingValues,
  type NormaliseKind,
  type Statistics,
  statisticsOf,
} from './statistics';
export type { Batch, Part, Rows, Sample } from './types';
