// The part of the worker that trains and compresses: a bundle of its own, fetched when a model to train is made.

import { compressGraph } from '../compress/compress';
import { reportHtml } from '../compress/html';
import { type TrainingCompiler, training } from '../train';
import { Trainers, type TrainersOptions } from './trainers';

/** The addresses of the part, and of the compiler, which it needs. */
export interface TrainerPlaces {
  readonly compilerUrl: string;
  readonly trainerUrl: string;
}

export interface TrainingPart extends Pick<TrainingCompiler, 'importLayer'> {
  trainers(options: TrainersOptions): Trainers;
  readonly compressGraph: typeof compressGraph;
  readonly reportHtml: typeof reportHtml;
}

export const trainingPart: TrainingPart = {
  importLayer: training.importLayer,
  compressGraph,
  reportHtml,
  trainers: (options) => new Trainers(training, options),
};
