// Conv2DTranspose: the way back through a convolution. Its kernel is [height, width, filters, channels].

import { whole } from '../../base/options';
import { activate, activationOption } from '../activations';
import { type Call, defineLayer, type Sized } from '../layer';
import { permuted } from '../tensor';
import { kernelOptions } from '../weights';
import { channelsFirst, convolutionOptions, fromChannelsFirst, spatialShape, withChannels } from '../window';

const options = {
  ...convolutionOptions(2),
  filters: whole(1),
  activation: activationOption('linear'),
  ...kernelOptions,
};

/** Sizes of the result; where the window is smaller than the stride, what lies between is there too. */
function resultSizes({ config }: Sized<typeof options>, spatial: readonly (number | null)[]) {
  return spatial.map((size, i) => {
    const [kernel, stride] = [config.kernelSize[i] as number, config.strides[i] as number];
    if (size === null) return null;
    return size * stride + (config.padding === 'same' ? 0 : Math.max(0, kernel - stride));
  });
}

export default defineLayer({
  className: 'Conv2DTranspose',
  options,
  weights(layer) {
    const { config } = layer;
    const { channels } = spatialShape(layer, 2, config.dataFormat);
    const dims = [...config.kernelSize, config.filters, channels];
    const bias = { name: 'bias', dims: [config.filters], initializer: config.biasInitializer };
    return [
      { name: 'kernel', dims, initializer: config.kernelInitializer, regularizer: config.kernelRegularizer },
      ...(config.useBias ? [{ ...bias, regularizer: config.biasRegularizer }] : []),
    ];
  },
  outputShape(layer) {
    const { spatial } = spatialShape(layer, 2, layer.config.dataFormat);
    return withChannels(
      layer.shape[0] as number | null,
      resultSizes(layer, spatial),
      layer.config.filters,
      layer.config.dataFormat,
    );
  },
  call(layer: Call<typeof options>) {
    const { b, f, config } = layer;
    const spatial = spatialShape(layer, 2, config.dataFormat).spatial as readonly number[];
    const sizes = resultSizes(layer, spatial) as number[];
    // What all windows cover, against what the result has.
    const over = sizes.map((size, i) => {
      const reach = ((spatial[i] as number) - 1) * (config.strides[i] as number) + (config.kernelSize[i] as number);
      return reach - size;
    });
    const cut = over.map((total) => Math.max(0, total));
    const begins = cut.map((total) => Math.floor(total / 2));
    const attributes = {
      kernel_shape: [...config.kernelSize],
      strides: [...config.strides],
      pads: [...begins, ...cut.map((total, i) => total - (begins[i] as number))],
      output_padding: over.map((total) => Math.max(0, -total)),
    };
    const kernel = permuted(b, layer.weight('kernel'), [3, 2, 0, 1]);
    const bias = config.useBias ? [layer.weight('bias')] : [];
    const result = f.node('ConvTranspose', [channelsFirst(layer), kernel, ...bias], attributes);
    return activate(layer, fromChannelsFirst(layer, result), config.activation);
  },
});
