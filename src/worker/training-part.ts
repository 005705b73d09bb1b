// The part of the worker that trains: a bundle of its own, fetched when a model to train is made.

import { type TrainingCompiler, training } from '../train';
import { Trainers, type TrainersOptions } from './trainers';

export interface TrainingPart extends Pick<TrainingCompiler, 'importLayer'> {
  trainers(options: TrainersOptions): Trainers;
}

export const trainingPart: TrainingPart = {
  importLayer: training.importLayer,
  trainers: (options) => new Trainers(training, options),
};
