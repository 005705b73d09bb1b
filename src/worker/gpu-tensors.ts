// Tensors that stay on the GPU between runs, by the number that the page knows them by.

import { toDevice } from '../base/device-form';
import { type DType, deviceBytes, deviceType } from '../base/dtype';
import { LeptonError } from '../base/errors';
import { sizeOf } from '../base/shape';
import type { Device } from '../gpu/device';
import { readBuffer } from '../gpu/runner';
import { scoped } from '../gpu/scopes';
import type { PlanTensor } from '../plan/plan';
import type { WireGpuTensor, WireTensor } from './protocol';

export interface GpuTensor {
  readonly device: Device;
  readonly buffer: GPUBuffer;
  readonly tensor: Pick<PlanTensor, 'dtype' | 'device' | 'dims' | 'mayOverflow'>;
}

export class GpuTensors {
  private readonly tensors = new Map<number, GpuTensor>();
  private next = 1;

  add(tensor: GpuTensor): WireGpuTensor {
    const gpu = this.next++;
    this.tensors.set(gpu, tensor);
    return { gpu, type: tensor.tensor.dtype, dims: tensor.tensor.dims };
  }

  /** @throws DISPOSED, or DEVICE_LOST where the tensor's device is gone */
  get(gpu: number): GpuTensor {
    const tensor = this.tensors.get(gpu);
    if (!tensor) throw new LeptonError('DISPOSED', 'This GPU tensor was disposed of.');
    if (tensor.device.lost) {
      throw new LeptonError(
        'DEVICE_LOST',
        'The GPU device was lost, and this tensor with it: upload or compute it again.',
      );
    }
    return tensor;
  }

  /** @throws OUT_OF_MEMORY, and UNSUPPORTED_MODEL where a 64-bit value does not fit */
  async upload(device: Device, tensor: WireTensor): Promise<WireGpuTensor> {
    return this.add(await this.place(device, tensor));
  }

  /** As `upload`, but the tensor gets no number: it is the caller's. */
  async place(device: Device, { type, dims, bytes }: WireTensor): Promise<GpuTensor> {
    const form = storageType(device, type);
    const packed = toDevice(type, form, bytes, 'the uploaded tensor');
    const size = deviceBytes(form, sizeOf(dims));
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
    const buffer = await scoped(device.handle, 'the uploaded tensor', size, () =>
      device.handle.createBuffer({ label: 'Tensor', size, usage }),
    );
    device.handle.queue.writeBuffer(buffer, 0, packed);
    return { device, buffer, tensor: { dtype: type, device: form, dims, mayOverflow: false } };
  }

  async read(gpu: number): Promise<WireTensor> {
    const { device, buffer, tensor } = this.get(gpu);
    const bytes = await readBuffer(device, buffer, { name: '', buffer: -1, ...tensor });
    return { type: tensor.dtype, dims: tensor.dims, bytes };
  }

  dispose(gpu: number): void {
    this.tensors.get(gpu)?.buffer.destroy();
    this.tensors.delete(gpu);
  }
}

/** Type that a tensor has in a buffer of this device: float16 is widened where it cannot be computed. */
function storageType(device: Device, dtype: DType): PlanTensor['device'] {
  const form = deviceType(dtype);
  return form === 'float16' && !device.profile.features.includes('shader-f16') ? 'float32' : form;
}
