// Images changed at random in training: GaussianNoise, RandomFlip, RandomTranslation, RandomRotation, RandomZoom. Each
// sample is changed in its own way; outside training they do nothing. Images are sampled bilinearly.

import { int64s } from '../../base/ndarray';
import { choice, number, type Options, optional } from '../../base/options';
import { type Call, defineLayer, type LayerDef, type Sized } from '../layer';
import { reshaped, type Tensor } from '../tensor';
import { channelsFirst, dataFormat, fromChannelsFirst, spatialShape } from '../window';

/** A layer that leaves the shape as it is, and outside training everything. */
function random<O extends Options>(className: string, options: O, call: (layer: Call<O>) => Tensor): LayerDef<O> {
  return defineLayer({
    className,
    options,
    outputShape: ({ shape }) => shape,
    call: (layer) => (layer.training ? call(layer) : layer.input),
  });
}

/** Random numbers: in [0, 1), or normal ones. */
function draw({ f, draw }: Pick<Call, 'f' | 'draw'>, dims: readonly number[], normal = false): string {
  const { seed, salt } = draw();
  return f.node('lepton.SeededRandom', [seed], { shape: [...dims], salt, normal: Number(normal) });
}

/** Uniform in [-1, 1): one number a sample. */
function between(layer: Call): string {
  const batch = layer.input.dims[0] as number;
  return layer.f.sub(layer.f.mul(draw(layer, [batch]), 2), 1);
}

const noise = random('GaussianNoise', { stddev: number(undefined, [0, Infinity]) }, (layer) => {
  const { b, f, input, config } = layer;
  return input.like(f.add(input.either, f.mul(draw(layer, b.type(input.either).dims, true), config.stddev)));
});

const flips = { horizontal: [3], vertical: [2], horizontalAndVertical: [2, 3] } as const;
const flipOptions = {
  mode: choice(['horizontal', 'vertical', 'horizontalAndVertical'], 'horizontalAndVertical'),
  dataFormat,
};

const flip = random('RandomFlip', flipOptions, (layer) => {
  const { b, f, input, config } = layer;
  const batch = input.dims[0] as number;
  const list = (value: number) => b.constant(int64s([value]));
  let x = channelsFirst(layer);
  for (const axis of flips[config.mode]) {
    // As ONNX says that all of an axis is meant, backwards.
    const turned = f.node('Slice', [x, list(-1), list(-(2 ** 31)), list(axis), list(-1)]);
    const chosen = f.of('Less', reshaped(b, draw(layer, [batch]), [batch, 1, 1, 1]), 0.5);
    x = f.of('Where', chosen, turned, x);
  }
  return fromChannelsFirst(layer, x);
});

const mapped = {
  fillMode: choice(['reflect', 'constant', 'nearest'], 'reflect'),
  dataFormat,
};
const beyond = { reflect: 'reflection', constant: 'zeros', nearest: 'border' } as const;
const share = number(undefined, [0, 1]);

/** Where each pixel's content comes from, in [-1, 1] across the image: six values [batch], row by row. */
type Map6 = readonly (string | number)[];

/** A layer that samples its images at other places. */
function affine<O extends typeof mapped>(className: string, options: O, mapOf: (layer: Call<O>, form: number) => Map6) {
  return random(className, options, (layer) => {
    const { b, f, config, input } = layer;
    const common = layer as unknown as Call<typeof mapped>;
    const [height, width] = spatialShape(layer as unknown as Sized, 2, config.dataFormat).spatial as [number, number];
    const batch = input.dims[0] as number;
    const columns = mapOf(layer, height / width).map((value) => {
      const one = typeof value === 'string' ? value : f.node('Expand', [f.number(value), b.constant(int64s([batch]))]);
      return reshaped(b, one, [batch, 1]);
    });
    const theta = reshaped(b, f.node('Concat', columns, { axis: 1 }), [batch, 2, 3]);
    const x = channelsFirst(common);
    const grid = f.node('AffineGrid', [theta, b.constant(int64s(b.type(x).dims))]);
    const attributes = { mode: 'linear', padding_mode: beyond[config.fillMode as keyof typeof beyond] };
    return fromChannelsFirst(common, f.node('GridSample', [x, grid], attributes));
  });
}

/** Moved by up to these shares of the height and the width. */
const translation = affine('RandomTranslation', { ...mapped, heightFactor: share, widthFactor: share }, (layer) => {
  const { f, config } = layer;
  // The image is 2 wide in these coordinates.
  const by = (factor: number) => f.mul(between(layer), 2 * factor);
  return [1, 0, by(config.widthFactor), 0, 1, by(config.heightFactor)];
});

/** Turned by up to `factor` of a full turn. */
const rotation = affine('RandomRotation', { ...mapped, factor: share }, (layer, form) => {
  const { f, config } = layer;
  const angle = f.mul(between(layer), 2 * Math.PI * config.factor);
  const [cos, sin] = [f.of('Cos', angle), f.of('Sin', angle)];
  return [cos, f.mul(sin, -form), 0, f.mul(sin, 1 / form), cos, 0];
});

/** Shown larger or smaller by up to these shares; without `widthFactor` the form stays. */
const zoom = affine('RandomZoom', { ...mapped, heightFactor: share, widthFactor: optional(share) }, (layer) => {
  const { f, config } = layer;
  const by = (factor: number) => f.add(f.mul(between(layer), factor), 1);
  const vertical = by(config.heightFactor);
  const horizontal = config.widthFactor === undefined ? vertical : by(config.widthFactor);
  return [horizontal, 0, 0, 0, vertical, 0];
});

export default [noise, flip, translation, rotation, zoom];
