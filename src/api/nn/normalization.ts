// The layer that is told what its data is like before training: inputs brought to mean 0 and variance 1.

import { type ArrayInput, type Batch, Batches, Dataset, fromArrays, type Statistics, statisticsOf } from '../../data';
import { invalid, Layer, type LayerOptions } from './layer';

export interface NormalizationOptions extends LayerOptions {
  /** One number for all features (the last axis), or one for each; with `variance`, instead of `adapt()`. */
  mean?: number | readonly number[];
  variance?: number | readonly number[];
}

export class Normalization extends Layer {
  /**
   * Takes mean and variance of every feature (the last dimension) from data, read once: from the part that is trained on, and
   * before the model gets its weights. Missing values (NaN) count for nothing.
   * @param data what the layer is to be given, or a data set of it, whose `xs` count
   * @throws INVALID_ARGUMENT where the model has its weights already, or the data is of several inputs or without end
   */
  async adapt(data: ArrayInput | AsyncIterable<Batch>, { signal }: { signal?: AbortSignal } = {}): Promise<this> {
    const { xs, ...others } = await statisticsFrom(data, signal);
    if (!xs) throw invalid(`adapt() takes data of one input, but it has ${Object.keys(others).join(', ')}`);
    if (this.isSettled) {
      throw invalid(`The model of ${this.name ?? 'this layer'} has its weights already: adapt() comes before them`);
    }
    this.configure({ mean: xs.mean, variance: xs.deviation.map((value) => value ** 2) });
    return this;
  }
}

async function statisticsFrom(data: ArrayInput | AsyncIterable<Batch>, signal?: AbortSignal): Promise<Statistics> {
  const options = signal ? { signal } : {};
  if (data instanceof Dataset) return data.statistics(options);
  if (data instanceof Batches) {
    if (data.size === Number.POSITIVE_INFINITY) throw invalid('adapt() takes data that ends, but this repeats');
    return statisticsOf(data.iterate(options));
  }
  if (Symbol.asyncIterator in Object(data)) return statisticsOf(data as AsyncIterable<Batch>);
  return fromArrays({ xs: data as ArrayInput }).statistics(options);
}
