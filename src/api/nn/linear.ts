// Linear models, ready to fit: one dense layer with the loss that makes it a regression, a classifier or a support vector
// machine. Features should be brought to mean 0 and deviation 1 first (`normalise`).

import type { LayerOptions } from './layer';
import { dense, type Regularizer } from './layers';
import { type Sequential, sequential } from './network';
import type { CompileOptions } from './options';

export interface LinearOptions {
  /** Numbers that make a sample: the last dimension of x. */
  features: number;
  /** Factor on the sum of the squared weights, which is added to the loss; default 0, for `linearSVM` 0.001. */
  l2?: number;
  /** Default 'adam' with a learning rate of 0.05. */
  optimizer?: NonNullable<CompileOptions['optimizer']>;
}

export interface LinearRegressionOptions extends LinearOptions {
  /** Numbers that are predicted; default 1. */
  outputs?: number;
}

export interface LogisticRegressionOptions extends LinearOptions {
  /** Default 2. */
  classes?: number;
}

const fast = { name: 'adam', learningRate: 0.05 } as const;

/** The least squares: y = x · kernel + bias, float32 [samples, outputs]. With `l2` it is a ridge regression. */
export function linearRegression({ outputs = 1, ...options }: LinearRegressionOptions): Sequential {
  return linear(options, { units: outputs }, { loss: 'meanSquaredError', metrics: ['rootMeanSquaredError', 'r2'] });
}

/** Probabilities of classes, which are numbered from 0: of class 1 alone where there are two, else of each. */
export function logisticRegression({ classes = 2, ...options }: LogisticRegressionOptions): Sequential {
  const isBinary = classes === 2;
  return linear(options, isBinary ? { units: 1, activation: 'sigmoid' } : { units: classes, activation: 'softmax' }, {
    loss: isBinary ? 'binaryCrossentropy' : 'sparseCategoricalCrossentropy',
    metrics: ['accuracy'],
  });
}

/**
 * A support vector machine without a kernel, for two classes, 0 and 1: what it predicts is above 0 for class 1. The larger
 * `l2`, the wider the margin at the cost of samples within it. https://doi.org/10.1007/BF00994018
 */
export function linearSVM({ l2 = 0.001, ...options }: LinearOptions): Sequential {
  const metrics = [{ name: 'binaryAccuracy', threshold: 0 }] as const;
  return linear({ ...options, l2 }, { units: 1 }, { loss: 'hinge', metrics });
}

function linear(
  { features, l2 = 0, optimizer = fast }: LinearOptions,
  head: { units: number; activation?: 'sigmoid' | 'softmax' },
  compile: Omit<CompileOptions, 'optimizer'>,
): Sequential {
  const regularizer: { kernelRegularizer?: Regularizer } = l2 > 0 ? { kernelRegularizer: { name: 'l2', l2 } } : {};
  const shape: LayerOptions = { inputShape: [features] };
  const made = sequential([dense({ ...head, ...shape, ...regularizer, kernelInitializer: 'zeros' })], 'linear');
  made.compile({ ...compile, optimizer });
  return made;
}
