// Operators that move elements without computing with them.

import * as tf from '@tensorflow/tfjs-core';
import { axesOf, first, number, type TfCall } from './call';
import { channelsLast, inChannelsLast, inOnnxOrder, plain, type TfValue } from './values';

export function reshape(call: TfCall): TfValue[] {
  const x = first(call);
  const shape = call.known[1]?.map((size, i) => (size === 0 ? (x.shape[i] as number) : size));
  if (!shape) throw new Error('Reshape hangs on data.');
  return [plain(tf.reshape(x, shape))];
}

export function flatten(call: TfCall): TfValue[] {
  const x = first(call);
  const axis = number(call.attributes.axis, 1);
  return [plain(tf.reshape(x, [x.shape.slice(0, axis).reduce((a, b) => a * b, 1), -1]))];
}

export function squeeze(call: TfCall): TfValue[] {
  const x = first(call);
  return [plain(tf.squeeze(x, axesOf(call, x.rank)))];
}

export function unsqueeze(call: TfCall): TfValue[] {
  const x = first(call);
  const axes = axesOf(call, x.rank + (call.known[1]?.length ?? 1)) ?? [];
  const shape = [...x.shape];
  for (const axis of axes.sort((a, b) => a - b)) shape.splice(axis, 0, 1);
  return [plain(tf.reshape(x, shape))];
}

export function transpose(call: TfCall): TfValue[] {
  const x = call.inputs[0] as TfValue;
  const perm = call.attributes.perm as number[] | undefined;
  // What a channels-last tensor is in memory already.
  if (x.channelsLast && perm?.join() === '0,2,3,1') return [plain(x.tensor)];
  return [plain(tf.transpose(first(call), perm))];
}

export function slice(call: TfCall): TfValue[] {
  const x = first(call);
  const [starts = [], ends = [], axes = starts.map((_, i) => i), steps = []] = call.known.slice(1);
  if (steps.some((step) => step < 1)) throw new Error('Slice goes backwards.');
  const [begin, end, stride] = [x.shape.map(() => 0), [...x.shape], x.shape.map(() => 1)];
  axes.forEach((given, i) => {
    const axis = given < 0 ? given + x.rank : given;
    const extent = x.shape[axis] as number;
    const at = (place: number) => Math.min(Math.max(place < 0 ? place + extent : place, 0), extent);
    begin[axis] = at(starts[i] as number);
    end[axis] = at(ends[i] as number);
    stride[axis] = steps[i] ?? 1;
  });
  if (stride.some((step) => step !== 1)) return [plain(tf.stridedSlice(x, begin, end, stride))];
  const size = end.map((to, i) => Math.max(0, to - (begin[i] as number)));
  return [plain(tf.slice(x, begin, size))];
}

export function split(call: TfCall): TfValue[] {
  const x = first(call);
  const axis = number(call.attributes.axis, 0);
  const sizes = call.known[1] ?? (call.attributes.split as readonly number[] | undefined);
  return tf.split(x, sizes ? [...sizes] : call.outputs, axis < 0 ? axis + x.rank : axis).map(plain);
}

/** Where the channels-last place of each of ONNX's four axes is. */
const lastPlace = [0, 3, 1, 2];

export function concat({ inputs, attributes }: TfCall): TfValue[] {
  const values = inputs as readonly TfValue[];
  const axis = number(attributes.axis, 0);
  if (values.every((value) => value.channelsLast)) {
    const place = lastPlace[axis < 0 ? axis + 4 : axis] as number;
    return [channelsLast(tf.concat(values.map(inChannelsLast), place))];
  }
  return [plain(tf.concat(values.map(inOnnxOrder), axis))];
}

export function gather(call: TfCall): TfValue[] {
  const indices = (call.inputs[1] as TfValue).tensor as tf.Tensor1D;
  return [plain(tf.gather(first(call), indices, number(call.attributes.axis, 0)))];
}

export function pad(call: TfCall): TfValue[] {
  const x = first(call);
  const pads = call.known[1] ?? (call.attributes.pads as readonly number[] | undefined);
  if (!pads || call.known[3]) throw new Error('Pad hangs on data.');
  const pairs = x.shape.map((_, i): [number, number] => [pads[i] as number, pads[i + x.rank] as number]);
  const { mode = 'constant' } = call.attributes;
  if (mode === 'reflect') return [plain(tf.mirrorPad(x, pairs, 'reflect'))];
  if (mode !== 'constant') throw new Error(`Pad has the mode ${mode}.`);
  return [plain(tf.pad(x, pairs, call.known[2]?.[0] ?? 0))];
}

export function resize(call: TfCall): TfValue[] {
  const x = inChannelsLast(call.inputs[0] as TfValue);
  const {
    mode = 'nearest',
    coordinate_transformation_mode: coordinates = 'half_pixel',
    nearest_mode,
  } = call.attributes;
  const [, , scales, sizes] = call.known;
  const given = sizes ?? scales?.map((scale, i) => Math.floor(scale * (x.shape[lastPlace[i] as number] as number)));
  if (given?.length !== 4) throw new Error('Resize is not of pictures.');
  const size: [number, number] = [given[2] as number, given[3] as number];
  const halfPixel = coordinates === 'half_pixel' || coordinates === 'pytorch_half_pixel';
  if (mode === 'linear' && (halfPixel || coordinates === 'asymmetric')) {
    return [channelsLast(tf.image.resizeBilinear(x, size, false, halfPixel))];
  }
  if (mode !== 'nearest' || coordinates !== 'asymmetric' || nearest_mode !== 'floor')
    throw new Error(`Resize is ${mode}, ${coordinates}.`);
  return [channelsLast(tf.image.resizeNearestNeighbor(x, size))];
}
