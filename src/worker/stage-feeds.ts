// What feeds a stage: the caller's tensors and pictures, and what earlier stages of the run left on the GPU
// or on the host; and the two ways to use it, as input of a plan or as elements on the host.

import { toDevice } from '../base/device-form';
import { LeptonError } from '../base/errors';
import { decode, encode, type NDArray, ndarray } from '../base/ndarray';
import { type Feed, readBuffer } from '../gpu/runner';
import type { Value } from '../ir/graph';
import type { PlanTensor } from '../plan/plan';
import type { SharedDevice } from './devices';
import type { CheckedFeed } from './feeds';
import type { GpuTensors } from './gpu-tensors';
import { hostImage } from './host-image';

export type StageFeed =
  | CheckedFeed
  /** `computed`: by the host, which has decided the type. */
  | { readonly array: NDArray; readonly dims: readonly number[]; readonly computed: boolean }
  | { readonly buffer: GPUBuffer; readonly tensor: PlanTensor; readonly dims: readonly number[] };

/** The feed as an input of a plan. @throws INVALID_INPUT where a GPU tensor does not fit it */
export function planFeed(
  input: PlanTensor,
  given: StageFeed,
  { device, images }: SharedDevice,
  tensors: GpuTensors,
): Feed {
  if ('buffer' in given) return { kind: 'buffer', buffer: given.buffer };
  if ('array' in given) {
    const { array } = given;
    return { kind: 'bytes', bytes: toDevice(array.dtype, input.device, encode(array), input.name) };
  }
  const { feed, dims } = given;
  if ('bytes' in feed) return { kind: 'bytes', bytes: toDevice(feed.type, input.device, feed.bytes, input.name) };
  if ('gpu' in feed) {
    const { buffer, device: owner, tensor } = tensors.get(feed.gpu);
    if (owner !== device || tensor.device !== input.device) {
      const why =
        owner === device
          ? `holds ${tensor.device} elements, but the model computes in ${input.device}`
          : 'lives on another GPU device';
      throw new LeptonError(
        'INVALID_INPUT',
        `The GPU tensor fed as "${input.name}" ${why}. Read it and feed the result.`,
      );
    }
    return { kind: 'buffer', buffer };
  }
  const { bitmap, options } = feed;
  const size: [number, number] =
    options.layout === 'NCHW' ? [dims[2] as number, dims[3] as number] : [dims[1] as number, dims[2] as number];
  const dtype = input.device === 'float16' ? 'float16' : 'float32';
  return {
    kind: 'write',
    write: (encoder, target) => images.encode(encoder, { ...options, bitmap, size }, target, dtype),
  };
}

/** The feed's elements, in the type that the graph computes the value in. */
export async function hostArray(
  { dtype }: Value,
  given: StageFeed,
  { device }: SharedDevice,
  tensors: GpuTensors,
): Promise<NDArray> {
  const array = await elements(given, device, tensors);
  return array.dtype === dtype ? array : ndarray(dtype, array.dims, array.data);
}

async function elements(given: StageFeed, device: SharedDevice['device'], tensors: GpuTensors): Promise<NDArray> {
  if ('array' in given) return given.array;
  if ('buffer' in given) {
    const { tensor } = given;
    return decode(tensor.dtype, tensor.dims, await readBuffer(device, given.buffer, tensor));
  }
  const { feed, dims } = given;
  if ('bitmap' in feed) return hostImage(feed, dims);
  const { type, bytes } = 'bytes' in feed ? feed : await tensors.read(feed.gpu);
  return decode(type, dims, bytes);
}
