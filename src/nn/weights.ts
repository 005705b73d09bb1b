// Options of weights that layers share: how each begins, and what it is penalised for.

import { flag, named, optional } from '../base/options';
import { initializerOptions } from './initializers';
import { regularizerOptions } from './regularizers';

export const initializer = (fallback: string) => named(initializerOptions, fallback);
export const regularizer = optional(named(regularizerOptions));

/** Of layers with a kernel and a bias. */
export const kernelOptions = {
  useBias: flag(true),
  kernelInitializer: initializer('glorotUniform'),
  biasInitializer: initializer('zeros'),
  kernelRegularizer: regularizer,
  biasRegularizer: regularizer,
};
