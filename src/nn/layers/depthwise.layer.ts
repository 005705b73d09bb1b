// DepthwiseConv2D: each channel with filters of its own. The kernel is [height, width, channels, depthMultiplier]; the
// results of one channel stand together.

import { each, type OptionsOf, whole } from '../../base/options';
import { activate, activationOption } from '../activations';
import { defineLayer } from '../layer';
import { permuted, reshaped } from '../tensor';
import { kernelOptions } from '../weights';
import {
  channelsFirst,
  convolutionOptions,
  fromChannelsFirst,
  places,
  spatialShape,
  type Window,
  windowAttributes,
  withChannels,
} from '../window';

const options = {
  ...convolutionOptions(2),
  depthMultiplier: whole(1, 1),
  dilationRate: each(2, 1, 1),
  activation: activationOption('linear'),
  ...kernelOptions,
};

function windowOf({ kernelSize, strides, dilationRate, padding }: OptionsOf<typeof options>): Window {
  return { kernel: kernelSize, strides, dilations: dilationRate, padding };
}

export default defineLayer({
  className: 'DepthwiseConv2D',
  options,
  weights(layer) {
    const { config } = layer;
    const { channels } = spatialShape(layer, 2, config.dataFormat);
    const dims = [...config.kernelSize, channels, config.depthMultiplier];
    const bias = { name: 'bias', dims: [channels * config.depthMultiplier], initializer: config.biasInitializer };
    return [
      { name: 'kernel', dims, initializer: config.kernelInitializer, regularizer: config.kernelRegularizer },
      ...(config.useBias ? [{ ...bias, regularizer: config.biasRegularizer }] : []),
    ];
  },
  outputShape(layer) {
    const { config } = layer;
    const { spatial, channels } = spatialShape(layer, 2, config.dataFormat);
    const out = places(spatial, windowOf(config));
    return withChannels(layer.shape[0] as number | null, out, channels * config.depthMultiplier, config.dataFormat);
  },
  call(layer) {
    const { b, f, config } = layer;
    const { spatial, channels } = spatialShape(layer, 2, config.dataFormat);
    const filters = [channels * config.depthMultiplier, 1, ...config.kernelSize];
    const kernel = reshaped(b, permuted(b, layer.weight('kernel'), [2, 3, 0, 1]), filters);
    const bias = config.useBias ? [layer.weight('bias')] : [];
    const attributes = { ...windowAttributes(spatial as number[], windowOf(config)), group: channels };
    const result = f.node('Conv', [channelsFirst(layer), kernel, ...bias], attributes);
    return activate(layer, fromChannelsFirst(layer, result), config.activation);
  },
});
