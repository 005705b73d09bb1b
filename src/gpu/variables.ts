// Tensors that outlive the plans which read and overwrite them: weights in training, and what the optimiser keeps of
// each. They stay on the GPU; plans of any number share them by name.

import { fromDevice, toDevice } from '../base/device-form';
import { type DType, deviceBytes, deviceType } from '../base/dtype';
import { LeptonError } from '../base/errors';
import { type Dims, formatDims, sizeOf } from '../base/shape';
import type { Device } from './device';
import { mapForReading } from './map';
import { scoped } from './scopes';

export interface VariableSpec {
  readonly name: string;
  readonly dtype: DType;
  readonly dims: Dims;
}

interface Variable extends VariableSpec {
  readonly buffer: GPUBuffer;
}

export class Variables {
  private readonly all = new Map<string, Variable>();

  constructor(private readonly device: Device) {}

  /** What plans are given. */
  get buffers(): ReadonlyMap<string, GPUBuffer> {
    return new Map([...this.all.values()].map(({ name, buffer }) => [name, buffer]));
  }

  get specs(): readonly VariableSpec[] {
    return [...this.all.values()].map(({ name, dtype, dims }) => ({ name, dtype, dims }));
  }

  has(name: string): boolean {
    return this.all.has(name);
  }

  /** Makes variables, filled with zeros. @throws OUT_OF_MEMORY, GPU_ERROR */
  async add(specs: readonly VariableSpec[]): Promise<void> {
    const { handle } = this.device;
    const bytes = specs.reduce((sum, { dtype, dims }) => sum + deviceBytes(dtype, sizeOf(dims)), 0);
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
    const made = await scoped(handle, 'the variables', bytes, () =>
      specs.map((spec) => {
        const size = deviceBytes(spec.dtype, sizeOf(spec.dims));
        return { ...spec, buffer: handle.createBuffer({ label: `Variables.${spec.name}`, size, usage }) };
      }),
    );
    for (const variable of made) this.all.set(variable.name, variable);
  }

  /** @param bytes packed elements of the variable's type */
  write(name: string, bytes: Uint8Array): void {
    const { buffer, dtype } = this.of(name);
    this.device.handle.queue.writeBuffer(buffer, 0, toDevice(dtype, deviceType(dtype), bytes, name));
  }

  /** The packed elements of variables as they are now, by name: all of them from between the same two runs. */
  async read(names: readonly string[]): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
    const { handle } = this.device;
    const wanted = names.map((name) => this.of(name));
    const size = wanted.reduce((sum, { buffer }) => sum + buffer.size, 0);
    if (size === 0) return new Map();
    const usage = GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST;
    const staging = handle.createBuffer({ label: 'Variables.staging', size, usage });
    try {
      const encoder = handle.createCommandEncoder({ label: 'Variables.read' });
      const offsets = new Map<string, number>();
      let end = 0;
      for (const { name, buffer } of wanted) {
        encoder.copyBufferToBuffer(buffer, 0, staging, end, buffer.size);
        offsets.set(name, end);
        end += buffer.size;
      }
      handle.queue.submit([encoder.finish()]);
      const all = new Uint8Array(await mapForReading(handle, staging));
      return new Map(
        wanted.map(({ name, dtype, dims }) => {
          const tensor = { name, dtype, device: deviceType(dtype), dims, mayOverflow: false };
          return [name, fromDevice(tensor, all.subarray(offsets.get(name)))];
        }),
      );
    } finally {
      staging.destroy();
    }
  }

  dispose(): void {
    for (const { buffer } of this.all.values()) buffer.destroy();
    this.all.clear();
  }

  private of(name: string): Variable {
    const variable = this.all.get(name);
    if (variable) return variable;
    const known = [...this.all.values()].map((v) => `"${v.name}" ${formatDims(v.dims)}`).join(', ');
    throw new LeptonError('INVALID_ARGUMENT', `There is no variable "${name}"; there are ${known || 'none'}.`);
  }
}
