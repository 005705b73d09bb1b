// Feeds for a model: the picture where it takes one, and for every other input a made-up tensor of the
// right type and shape, so that any network can at least be run, timed and profiled.

import { type DType, image, type Feeds as ModelFeeds, Tensor, type TensorInfo } from '../api';
import type { Size } from './decode/fit';
import type { Look, Recipe } from './recipes';

export interface Feeds {
  readonly feeds: ModelFeeds;
  /** [height, width] the picture takes in the network, where it takes one. */
  readonly input: Size;
  readonly takesPicture: boolean;
  /** What was fed, in words. */
  readonly fed: string;
}

const plainLook: Look = { fit: 'cover' };

export function makeFeeds(inputs: readonly TensorInfo[], recipe: Recipe | undefined, bitmap: ImageBitmap): Feeds {
  const feeds: Record<string, ModelFeeds[string]> = {};
  const words: string[] = [];
  let input: Size = [bitmap.height, bitmap.width];
  let takesPicture = false;
  for (const value of inputs) {
    const place = imagePlace(value, recipe);
    if (place) {
      input = place.size;
      takesPicture = true;
      feeds[value.name] = image(bitmap, {
        ...plainLook,
        ...place.look,
        ...recipe?.look,
        size: [...input],
        layout: place.layout,
      });
      words.push(`${value.name}: the picture at ${input[1]} × ${input[0]}`);
    } else {
      const dims = value.shape.map((d) => (typeof d === 'number' && d > 0 ? d : openSize(String(d))));
      feeds[value.name] = ramp(value.type, dims);
      words.push(`${value.name}: a ramp of values, ${value.type}[${dims.join(', ')}]`);
    }
  }
  return { feeds, input, takesPicture, fed: words.join('; ') };
}

/** A size that the model leaves open: one of everything, but a stretch of a sequence, which networks over time need. */
function openSize(name: string): number {
  return /seq|len|time|frame|sample/i.test(name) ? 512 : 1;
}

/** Whether an input takes one picture (rank 4, one or three channels, floating point), and in which layout. */
function imagePlace(
  value: TensorInfo,
  recipe: Recipe | undefined,
): { size: Size; layout: 'NCHW' | 'NHWC'; look: Partial<Look> } | undefined {
  const { shape, type } = value;
  if (shape.length !== 4 || !type.startsWith('float')) return undefined;
  // The states of networks over time are of rank 4 too, but several beside each other.
  if (typeof shape[0] === 'number' && shape[0] !== 1) return undefined;
  const layout = shape[1] === 3 || shape[1] === 1 ? 'NCHW' : shape[3] === 3 || shape[3] === 1 ? 'NHWC' : undefined;
  if (!layout) return undefined;
  const [height, width] = layout === 'NCHW' ? [shape[2], shape[3]] : [shape[1], shape[2]];
  if (layout === 'NCHW' && (height === 1 || width === 1)) return undefined;
  const channels = layout === 'NCHW' ? shape[1] : shape[3];
  const open = recipe?.size ?? [224, 224];
  const size: Size = [typeof height === 'number' ? height : open[0], typeof width === 'number' ? width : open[1]];
  return { size, layout, look: channels === 1 ? { channels: 'gray' } : {} };
}

/** Values rising from 0 towards 1; whole numbers are all 1, which most index inputs accept, and small floats all alike. */
function ramp(type: DType, dims: number[]): Tensor {
  const count = dims.reduce((a, b) => a * b, 1);
  switch (type) {
    case 'float32':
      return new Tensor(
        type,
        Float32Array.from({ length: count }, (_, i) => i / count),
        dims,
      );
    case 'float64':
      return new Tensor(
        type,
        Float64Array.from({ length: count }, (_, i) => i / count),
        dims,
      );
    case 'float16':
      return new Tensor(type, new Uint16Array(count).fill(0x3800), dims); // 0.5
    case 'int64':
      return new Tensor(type, new BigInt64Array(count).fill(1n), dims);
    case 'uint64':
      return new Tensor(type, new BigUint64Array(count).fill(1n), dims);
    case 'int32':
      return new Tensor(type, new Int32Array(count).fill(1), dims);
    case 'uint32':
      return new Tensor(type, new Uint32Array(count).fill(1), dims);
    case 'int16':
      return new Tensor(type, new Int16Array(count).fill(1), dims);
    case 'uint16':
      return new Tensor(type, new Uint16Array(count).fill(1), dims);
    case 'int8':
      return new Tensor(type, new Int8Array(count).fill(1), dims);
    case 'uint8':
    case 'bool':
      return new Tensor(type, new Uint8Array(count).fill(1), dims);
    case 'bfloat16':
      return new Tensor(type, new Uint16Array(count).fill(0x3f00), dims); // 0.5
    case 'int4':
    case 'uint4':
      return new Tensor(type, new Uint8Array(Math.ceil(count / 2)).fill(0x11), dims);
    case 'int2':
    case 'uint2':
      return new Tensor(type, new Uint8Array(Math.ceil(count / 4)).fill(0x55), dims);
    case 'float4e2m1':
      return new Tensor(type, new Uint8Array(Math.ceil(count / 2)).fill(0x11), dims); // 0.5
    case 'float8e4m3fn':
    case 'float8e4m3fnuz':
    case 'float8e5m2':
    case 'float8e5m2fnuz':
      return new Tensor(type, new Uint8Array(count).fill(0x34), dims); // 0.1875 to 0.75
    case 'float8e8m0':
      return new Tensor(type, new Uint8Array(count).fill(0x7f), dims); // 1
    default:
      return type satisfies never;
  }
}
