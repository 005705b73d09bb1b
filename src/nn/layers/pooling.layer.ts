// MaxPooling and AveragePooling over windows, of one and two spatial axes.

import { each, type OptionsOf, optional } from '../../base/options';
import { type Call, defineLayer, type Sized } from '../layer';
import {
  channelsFirst,
  dataFormat,
  fromChannelsFirst,
  padding,
  places,
  spatialShape,
  type Window,
  windowAttributes,
  withChannels,
} from '../window';

const optionsOf = (rank: number) => ({
  poolSize: each(rank, 1, 2),
  /** By default those of the window. */
  strides: optional(each(rank, 1)),
  padding,
  dataFormat,
});

type Config = OptionsOf<ReturnType<typeof optionsOf>>;

function windowOf(config: Config): Window {
  return { kernel: config.poolSize, strides: config.strides ?? config.poolSize, padding: config.padding };
}

function pooling(kind: 'Max' | 'Average', rank: number) {
  const options = optionsOf(rank);
  return defineLayer({
    className: `${kind}Pooling${rank}D`,
    options,
    outputShape(layer: Sized<typeof options>) {
      const { config, shape } = layer;
      const { spatial, channels } = spatialShape(layer, rank, config.dataFormat);
      return withChannels(shape[0] as null, places(spatial, windowOf(config)), channels, config.dataFormat);
    },
    call(layer: Call<typeof options>) {
      const { f, config } = layer;
      const { spatial } = spatialShape(layer, rank, config.dataFormat);
      const attributes = windowAttributes(spatial as number[], windowOf(config));
      return fromChannelsFirst(layer, f.node(`${kind}Pool`, [channelsFirst(layer)], attributes));
    },
  });
}

export default [1, 2].flatMap((rank) => [pooling('Max', rank), pooling('Average', rank)]);
