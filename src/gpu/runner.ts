// Runs an executable: inputs in, one submit, only the asked-for outputs out. A run may begin while others wait for what
// they read back, unless outputs stay in the executable's own buffers.

import { fromDevice } from '../base/device-form';
import { LeptonError } from '../base/errors';
import type { PlanTensor } from '../plan/plan';
import type { Device } from './device';
import type { Executable } from './executable';
import { mapForReading } from './map';
import { scoped } from './scopes';

/** Bytes in device form, a buffer to bind as it is, or something that writes the buffer on the GPU. */
export type Feed =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'buffer'; readonly buffer: GPUBuffer }
  | {
      readonly kind: 'write';
      readonly write: (encoder: GPUCommandEncoder, target: GPUBuffer, input: PlanTensor) => void;
    };

export interface Fetch {
  readonly name: string;
  readonly location: 'cpu' | 'gpu';
}

/** By output: packed bytes in the border's type, and the buffers of those that stay on the GPU. */
export interface Fetched {
  readonly bytes: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
  readonly buffers: ReadonlyMap<string, GPUBuffer>;
}

interface Read {
  readonly tensor: PlanTensor;
  /** Place and size in the staging buffer. */
  readonly offset: number;
  readonly bytes: number;
}

export class Runner {
  /** For reading back, not in use at the moment. */
  private readonly idle: GPUBuffer[] = [];
  disposed = false;

  constructor(readonly executable: Executable) {}

  async run(feeds: ReadonlyMap<string, Feed>, fetches: readonly Fetch[]): Promise<Fetched> {
    const { plan, device } = this.executable;
    const kept = fetches.filter((f) => f.location === 'gpu').map((f) => outputOf(plan.outputs, f.name));
    let bytes: ReadonlyMap<string, Uint8Array<ArrayBuffer>> = new Map();
    const buffers = kept.length > 0 ? await this.outputBuffers(kept) : new Map<number, GPUBuffer>();
    try {
      const reads = this.readsOf(fetches);
      if (reads.length === 0)
        await scoped(device.handle, `a run of "${plan.name}"`, 0, () => this.submit(feeds, buffers, reads));
      else {
        const staging = this.submit(feeds, buffers, reads) as GPUBuffer;
        let isWhole = false;
        try {
          bytes = new Map(await readBack(device, staging, totalBytes(reads), reads));
          isWhole = true;
        } finally {
          if (isWhole && !this.disposed) this.idle.push(staging);
          else staging.destroy();
        }
      }
      if (device.uncaptured !== undefined) {
        const message = device.uncaptured;
        device.uncaptured = undefined;
        throw new LeptonError('GPU_ERROR', `The GPU reported an error while "${plan.name}" ran: ${message}`);
      }
    } catch (error) {
      for (const buffer of buffers.values()) buffer.destroy();
      throw error;
    }
    return { bytes, buffers: new Map(kept.map((t) => [t.name, buffers.get(t.buffer) as GPUBuffer])) };
  }

  /** Buffers for outputs that the caller keeps, by the plan's own number of them. */
  private outputBuffers(outputs: readonly PlanTensor[]): Promise<Map<number, GPUBuffer>> {
    const { plan, device } = this.executable;
    const bytesOf = (t: PlanTensor) => plan.buffers[t.buffer]?.bytes ?? 16;
    const total = outputs.reduce((sum, t) => sum + bytesOf(t), 0);
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
    return scoped(device.handle, `the output of "${plan.name}"`, total, () => {
      const made = outputs.map((t): [number, GPUBuffer] => [
        t.buffer,
        device.handle.createBuffer({ label: `${plan.name}.${t.name}`, size: bytesOf(t), usage }),
      ]);
      return new Map(made);
    });
  }

  private readsOf(fetches: readonly Fetch[]): Read[] {
    const { plan } = this.executable;
    let offset = 0;
    return fetches
      .filter((f) => f.location === 'cpu')
      .map(({ name }) => {
        const tensor = outputOf(plan.outputs, name);
        const read = { tensor, offset, bytes: plan.buffers[tensor.buffer]?.bytes ?? 16 };
        offset += read.bytes;
        return read;
      });
  }

  /** Encodes and submits one run; answers the buffer that the outputs to read are copied to. */
  private submit(
    feeds: ReadonlyMap<string, Feed>,
    outputs: ReadonlyMap<number, GPUBuffer>,
    reads: readonly Read[],
  ): GPUBuffer | undefined {
    const { executable } = this;
    const { handle } = executable.device;
    const encoder = handle.createCommandEncoder({ label: `${executable.plan.name}.run` });
    const replaced = this.feed(feeds, encoder);
    for (const [index, buffer] of outputs) replaced.set(index, buffer);
    executable.encode(encoder, replaced);
    const staging = reads.length > 0 ? this.stagingOf(totalBytes(reads)) : undefined;
    for (const { tensor, offset, bytes } of reads) {
      const from = outputs.get(tensor.buffer) ?? executable.outputBuffer(tensor);
      encoder.copyBufferToBuffer(from, 0, staging as GPUBuffer, offset, bytes);
    }
    handle.queue.submit([encoder.finish()]);
    return staging;
  }

  /** GPU milliseconds of every step of one run with the inputs as they are; undefined without timestamps. */
  async time(): Promise<number[] | undefined> {
    const { executable } = this;
    const { handle, profile } = executable.device;
    const count = executable.plan.steps.length;
    // A query set holds at most 4,096 timestamps.
    if (!profile.features.includes('timestamp-query') || count === 0 || 2 * count > 4096) return undefined;
    const querySet = handle.createQuerySet({ type: 'timestamp', count: 2 * count });
    const resolved = handle.createBuffer({
      size: 16 * count,
      usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC,
    });
    const staging = handle.createBuffer({ size: 16 * count, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
    try {
      const encoder = handle.createCommandEncoder();
      executable.encode(encoder, new Map(), querySet);
      encoder.resolveQuerySet(querySet, 0, 2 * count, resolved, 0);
      encoder.copyBufferToBuffer(resolved, 0, staging, 0, 16 * count);
      handle.queue.submit([encoder.finish()]);
      const stamps = new BigInt64Array(await mapForReading(handle, staging));
      return Array.from({ length: count }, (_, i) =>
        executable.plan.steps[i]?.kind === 'copy'
          ? 0
          : Number((stamps[2 * i + 1] as bigint) - (stamps[2 * i] as bigint)) / 1e6,
      );
    } finally {
      querySet.destroy();
      resolved.destroy();
      staging.destroy();
    }
  }

  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    for (const staging of this.idle.splice(0)) staging.destroy();
    this.executable.dispose();
  }

  private feed(feeds: ReadonlyMap<string, Feed>, encoder: GPUCommandEncoder): Map<number, GPUBuffer> {
    const { executable } = this;
    const replaced = new Map<number, GPUBuffer>();
    for (const input of executable.plan.inputs) {
      const feed = feeds.get(input.name);
      if (!feed) throw new LeptonError('INVALID_INPUT', `Input "${input.name}" is not fed.`);
      if (feed.kind === 'buffer') replaced.set(input.buffer, feed.buffer);
      else if (feed.kind === 'write') feed.write(encoder, executable.inputBuffer(input), input);
      else executable.device.handle.queue.writeBuffer(executable.inputBuffer(input), 0, feed.bytes);
    }
    return replaced;
  }

  private stagingOf(bytes: number): GPUBuffer {
    const idle = this.idle.pop();
    if (idle && idle.size >= bytes) return idle;
    idle?.destroy();
    return this.executable.device.handle.createBuffer({
      label: `${this.executable.plan.name}.staging`,
      size: bytes,
      usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
    });
  }
}

function outputOf(outputs: readonly PlanTensor[], name: string): PlanTensor {
  const tensor = outputs.find((o) => o.name === name);
  if (!tensor) {
    throw new LeptonError(
      'INVALID_ARGUMENT',
      `The model has no output "${name}"; it has ${outputs.map((o) => `"${o.name}"`).join(', ')}.`,
    );
  }
  return tensor;
}

function totalBytes(reads: readonly Read[]): number {
  return reads.reduce((sum, read) => sum + read.bytes, 0);
}

async function readBack(
  device: Device,
  staging: GPUBuffer,
  bytes: number,
  reads: readonly Pick<Read, 'tensor' | 'offset'>[],
): Promise<[string, Uint8Array<ArrayBuffer>][]> {
  const all = new Uint8Array(await mapForReading(device.handle, staging, bytes));
  try {
    return reads.map(({ tensor, offset }) => [tensor.name, fromDevice(tensor, all.subarray(offset))]);
  } finally {
    staging.unmap();
  }
}

/** The packed bytes of a tensor that lives in a buffer. */
export async function readBuffer(
  device: Device,
  buffer: GPUBuffer,
  tensor: PlanTensor,
): Promise<Uint8Array<ArrayBuffer>> {
  const { handle } = device;
  const staging = handle.createBuffer({ size: buffer.size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  try {
    const encoder = handle.createCommandEncoder();
    encoder.copyBufferToBuffer(buffer, 0, staging, 0, buffer.size);
    handle.queue.submit([encoder.finish()]);
    const [entry] = await readBack(device, staging, buffer.size, [{ tensor, offset: 0 }]);
    return (entry as [string, Uint8Array<ArrayBuffer>])[1];
  } finally {
    staging.destroy();
  }
}
