// GlobalAveragePooling and GlobalMaxPooling: the mean or the largest element of each channel.

import { int64s } from '../../base/ndarray';
import { flag } from '../../base/options';
import { type Call, defineLayer, type Sized } from '../layer';
import { Tensor } from '../tensor';
import { dataFormat, spatialShape, withChannels } from '../window';

const options = { dataFormat, keepDims: flag(false) };

function pooling(kind: 'Average' | 'Max', rank: number) {
  return defineLayer({
    className: `Global${kind}Pooling${rank}D`,
    options,
    outputShape(layer: Sized<typeof options>) {
      const { dataFormat, keepDims } = layer.config;
      const { spatial, channels } = spatialShape(layer, rank, dataFormat);
      return withChannels(layer.shape[0] as number | null, keepDims ? spatial.map(() => 1) : [], channels, dataFormat);
    },
    call({ b, f, input, config: { dataFormat, keepDims } }: Call<typeof options>) {
      const first = dataFormat === 'channelsLast' ? 1 : 2;
      const axes = Array.from({ length: rank }, (_, i) => input.axis(first + i));
      const op = kind === 'Average' ? 'ReduceMean' : 'ReduceMax';
      const result = f.node(op, [input.either, b.constant(int64s(axes))], { keepdims: Number(keepDims) });
      return keepDims && input.isFirst ? Tensor.channelsFirst(b, result) : Tensor.plain(b, result);
    },
  });
}

export default [1, 2].flatMap((rank) => [pooling('Average', rank), pooling('Max', rank)]);
