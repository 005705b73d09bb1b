// Activations by Keras's names, as nodes.

import { choice } from '../base/options';
import type { AttributeValue } from '../ir/graph';
import type { Call } from './layer';
import type { Tensor } from './tensor';

/** ONNX operators with Keras's constants. */
const operators: Readonly<Record<string, readonly [string, Record<string, AttributeValue>?]>> = {
  relu: ['Relu'],
  sigmoid: ['Sigmoid'],
  tanh: ['Tanh'],
  elu: ['Elu', { alpha: 1 }],
  selu: ['Selu'],
  softplus: ['Softplus'],
  softsign: ['Softsign'],
  exponential: ['Exp'],
  mish: ['Mish'],
  gelu: ['Gelu'],
  hardSigmoid: ['HardSigmoid', { alpha: 1 / 6, beta: 0.5 }],
  hardSwish: ['HardSwish'],
  leakyRelu: ['LeakyRelu', { alpha: 0.2 }],
};

const composed = ['linear', 'softmax', 'logSoftmax', 'relu6', 'swish', 'silu'] as const;

export const activationOption = (fallback?: string) => choice([...composed, ...Object.keys(operators)], fallback);

/** @param axis that softmax and logSoftmax run along, in Keras's order */
export function activate({ f }: Pick<Call, 'f'>, x: Tensor, activation: string, axis = x.rank - 1): Tensor {
  const value = x.either;
  const operator = operators[activation];
  if (operator) {
    const name = f.node(operator[0], [value], operator[1]);
    return x.like(name, activation === 'sigmoid' ? { activation, value: x } : undefined);
  }
  switch (activation) {
    case 'softmax': {
      const last = axis === x.rank - 1;
      const name = f.node('Softmax', [value], { axis: x.axis(axis) });
      return x.like(name, last ? { activation, value: x } : undefined);
    }
    case 'logSoftmax':
      return x.like(f.node('LogSoftmax', [value], { axis: x.axis(axis) }));
    case 'relu6':
      return x.like(f.of('Clip', value, 0, 6));
    case 'swish':
    case 'silu':
      return x.like(f.mul(value, f.of('Sigmoid', value)));
    default:
      return x;
  }
}
