// Conv1D and Conv2D. Kernels are [window…, channels / groups, filters].

import { choice, each, type OptionsOf, whole } from '../../base/options';
import { activate, activationOption } from '../activations';
import { type Call, defineLayer, type Sized } from '../layer';
import { permuted } from '../tensor';
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

const optionsOf = (rank: number) => ({
  ...convolutionOptions(rank),
  filters: whole(1),
  padding: choice(rank === 1 ? ['valid', 'same', 'causal'] : ['valid', 'same'], 'valid'),
  dilationRate: each(rank, 1, 1),
  groups: whole(1, 1),
  activation: activationOption('linear'),
  ...kernelOptions,
});

type Config = OptionsOf<ReturnType<typeof optionsOf>>;

function windowOf({ kernelSize, strides, dilationRate, padding }: Config): Window {
  return { kernel: kernelSize, strides, dilations: dilationRate, padding };
}

function convolution(rank: number) {
  const options = optionsOf(rank);
  type Layer = Sized<typeof options>;
  return defineLayer({
    className: `Conv${rank}D`,
    options,
    weights(layer: Layer) {
      const { config } = layer;
      const { filters, groups, kernelSize, useBias } = config;
      const { channels } = spatialShape(layer, rank, config.dataFormat);
      if (channels % groups !== 0 || filters % groups !== 0) {
        layer.fail(`has ${groups} groups, which must divide its ${filters} filters and the channels of its input`);
      }
      const dims = [...kernelSize, channels / groups, filters];
      const bias = { name: 'bias', dims: [filters], initializer: config.biasInitializer };
      return [
        { name: 'kernel', dims, initializer: config.kernelInitializer, regularizer: config.kernelRegularizer },
        ...(useBias ? [{ ...bias, regularizer: config.biasRegularizer }] : []),
      ];
    },
    outputShape(layer: Layer) {
      const { spatial } = spatialShape(layer, rank, layer.config.dataFormat);
      const out = places(spatial, windowOf(layer.config));
      return withChannels(layer.shape[0] as number | null, out, layer.config.filters, layer.config.dataFormat);
    },
    call(layer: Call<typeof options>) {
      const { b, f, config } = layer;
      const { spatial } = spatialShape(layer, rank, config.dataFormat);
      const window = Array.from({ length: rank }, (_, i) => i);
      const kernel = permuted(b, layer.weight('kernel'), [rank + 1, rank, ...window]);
      const bias = config.useBias ? [layer.weight('bias')] : [];
      const attributes = { ...windowAttributes(spatial as number[], windowOf(config)), group: config.groups };
      const result = f.node('Conv', [channelsFirst(layer), kernel, ...bias], attributes);
      return activate(layer, fromChannelsFirst(layer, result), config.activation);
    },
  });
}

export default [convolution(1), convolution(2)];
