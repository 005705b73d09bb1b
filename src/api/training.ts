// Lepton's public face for training: a bundle of its own, which pages that only run models do not load.

export type {
  CalibrationReport,
  CompressProgress,
  CompressReport,
  LayerReport,
  PruneOptions,
  PruneReport,
  Quantization,
  QuantizeOptions,
  Structure,
  WeightForm,
} from '../compress/types';
export * as data from '../data';
export type { LayerSummary } from '../nn/types';
export type { CheckpointInfo } from '../store/checkpoints';
export { type Calibration, type CompressedModel, type CompressOptions, compress } from './compress';
export * as callbacks from './nn/callbacks';
export type { History } from './nn/fit';
export type { Data, EvaluateOptions, FitOptions } from './nn/fit-data';
export { type InputOptions, input, type Layer, type SymbolicTensor } from './nn/layer';
export * as layers from './nn/layers';
export {
  type LinearOptions,
  type LinearRegressionOptions,
  type LogisticRegressionOptions,
  linearRegression,
  linearSVM,
  logisticRegression,
} from './nn/linear';
export { type LoadLayerOptions, loadLayer } from './nn/load-layer';
export { checkpoints, loadModel } from './nn/load-model';
export { type ModelOptions, model, type Network, type Sequential, sequential } from './nn/network';
export type { CompileOptions, LossName, MetricName, OptimizerName } from './nn/options';
export { gcnFilter, type SparseEntries, type SparseMatrix, sparseMatrix } from './nn/sparse-matrix';
export type { Results } from './nn/totals';
export type { BuildOptions } from './nn/trainable';
