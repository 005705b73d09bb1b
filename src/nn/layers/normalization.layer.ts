// BatchNormalization (https://arxiv.org/abs/1502.03167) and LayerNormalization (https://arxiv.org/abs/1607.06450).

import { ndarray } from '../../base/ndarray';
import { flag, number } from '../../base/options';
import { type Call, defineLayer, type Sized, type WeightSpec } from '../layer';
import { Tensor } from '../tensor';
import { initializer, regularizer } from '../weights';

const common = {
  axis: number(-1),
  epsilon: number(0.001, [0, Infinity]),
  center: flag(true),
  scale: flag(true),
  betaInitializer: initializer('zeros'),
  gammaInitializer: initializer('ones'),
  betaRegularizer: regularizer,
  gammaRegularizer: regularizer,
};
const batchOptions = { ...common, momentum: number(0.99, [0, 1]) };

/** The axis counted from the front. */
function axisOf(layer: Sized<typeof common>): number {
  const { axis } = layer.config;
  const rank = layer.shape.length;
  const at = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(at) || at < 1 || at >= rank) layer.fail(`has the axis ${axis}, which its input must have`);
  return at;
}

function learned(layer: Sized<typeof common>): WeightSpec[] {
  const { config } = layer;
  const dims = [layer.size(axisOf(layer))];
  const gamma = { name: 'gamma', dims, initializer: config.gammaInitializer, regularizer: config.gammaRegularizer };
  const beta = { name: 'beta', dims, initializer: config.betaInitializer, regularizer: config.betaRegularizer };
  return [...(config.scale ? [gamma] : []), ...(config.center ? [beta] : [])];
}

/** The factors and summands, learned or not. */
function parameters(layer: Call<typeof common>): [string, string] {
  const size = layer.size(axisOf(layer));
  const all = (value: number) => layer.b.constant(ndarray('float32', [size], new Array<number>(size).fill(value)));
  return [layer.config.scale ? layer.weight('gamma') : all(1), layer.config.center ? layer.weight('beta') : all(0)];
}

const batchNormalization = defineLayer({
  className: 'BatchNormalization',
  options: batchOptions,
  weights(layer: Sized<typeof batchOptions>) {
    const dims = [layer.size(axisOf(layer))];
    return [
      ...learned(layer),
      { name: 'movingMean', dims, initializer: { name: 'zeros' }, trainable: false },
      { name: 'movingVariance', dims, initializer: { name: 'ones' }, trainable: false },
    ];
  },
  outputShape: ({ shape }) => shape,
  call(layer: Call<typeof batchOptions>) {
    const { b, input, config } = layer;
    // A frozen one does as outside training, as in Keras: its moving averages stay.
    const training = layer.training && layer.trainable;
    const { rank } = input;
    const axis = axisOf(layer);
    if (axis !== 1 && axis !== rank - 1) layer.fail('needs its channels along axis 1 or the last');
    const last = axis === rank - 1 && rank > 2;
    const x = last ? input.channelsFirst() : input.plain();
    const moving = ['movingMean', 'movingVariance'].map((name) => layer.weight(name));
    const [y, ...next] = b.add(
      'BatchNormalization',
      [x, ...parameters(layer), ...moving],
      { epsilon: config.epsilon, momentum: config.momentum, training_mode: Number(training) },
      training ? 3 : 1,
    ) as [string, ...string[]];
    if (training) {
      layer.update('movingMean', next[0] as string);
      layer.update('movingVariance', next[1] as string);
    }
    return last ? Tensor.channelsFirst(b, y) : Tensor.plain(b, y);
  },
});

const layerNormalization = defineLayer({
  className: 'LayerNormalization',
  options: common,
  weights: learned,
  outputShape: ({ shape }) => shape,
  call(layer: Call<typeof common>) {
    const { b, f, input, config } = layer;
    if (axisOf(layer) !== input.rank - 1) layer.fail('normalises along the last axis only');
    const y = f.node('LayerNormalization', [input.plain(), ...parameters(layer)], {
      axis: -1,
      epsilon: config.epsilon,
    });
    return Tensor.plain(b, y);
  },
});

export default [batchNormalization, layerNormalization];
