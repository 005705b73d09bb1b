// Fills a plan's buffers from bytes: inline ones at once, stored ones by streaming each file once, front
// to back. Only a few MiB are ever in the heap, whatever the size of the weights.

import type { ByteSource } from '../base/bytes';
import { conversionUnit, toDevice } from '../base/device-form';
import { LeptonError, throwIfAborted } from '../base/errors';
import type { PlanUpload, StoredBytes } from '../plan/plan';

export interface UploadOptions {
  readonly signal?: AbortSignal;
  /** Bytes of weights read so far, of all. */
  readonly onProgress?: (loaded: number, total: number) => void;
}

/** Gaps between tensors smaller than this are read over instead of starting a new stream. */
const bridgeableGap = 1 << 16;
/** The queue is drained this often, so that the browser's staging copies stay bounded. */
const flushEvery = 16 << 20;

export async function upload(
  device: GPUDevice,
  uploads: readonly PlanUpload[],
  bufferOf: (index: number) => GPUBuffer,
  fileOf: (name: string) => ByteSource,
  options: UploadOptions = {},
): Promise<void> {
  const byFile = new Map<string, Writer[]>();
  for (const item of uploads) {
    const { source } = item;
    if (source instanceof Uint8Array) device.queue.writeBuffer(bufferOf(item.buffer), 0, source);
    else
      byFile.set(source.file, [
        ...(byFile.get(source.file) ?? []),
        new Writer(device, item, source, bufferOf(item.buffer)),
      ]);
  }
  const total = uploads.reduce((sum, u) => sum + (u.source instanceof Uint8Array ? 0 : u.source.length), 0);
  let loaded = 0;
  let unflushed = 0;
  for (const [file, writers] of byFile) {
    writers.sort((a, b) => a.start - b.start);
    for (const group of contiguous(writers)) {
      let first = 0;
      const end = Math.max(...group.map((w) => w.end));
      for await (const piece of fileOf(file).stream((group[0] as Writer).start, end, options.signal)) {
        throwIfAborted(options.signal, 'Uploading weights');
        const pieceEnd = piece.offset + piece.bytes.byteLength;
        while ((group[first]?.end ?? Number.POSITIVE_INFINITY) <= piece.offset) first++;
        for (let i = first; i < group.length && (group[i] as Writer).start < pieceEnd; i++) {
          loaded += (group[i] as Writer).take(piece.offset, piece.bytes);
        }
        options.onProgress?.(loaded, total);
        unflushed += piece.bytes.byteLength;
        if (unflushed >= flushEvery) {
          unflushed = 0;
          await device.queue.onSubmittedWorkDone();
        }
      }
      for (const writer of group) writer.finish();
    }
  }
}

function contiguous(writers: readonly Writer[]): Writer[][] {
  const groups: Writer[][] = [];
  let end = Number.NEGATIVE_INFINITY;
  for (const writer of writers) {
    if (writer.start - end > bridgeableGap) groups.push([]);
    groups.at(-1)?.push(writer);
    end = Math.max(end, writer.end);
  }
  return groups;
}

/** One tensor on its way: pieces may end in the middle of an element, so a few bytes wait for the rest. */
class Writer {
  readonly start: number;
  readonly end: number;
  private readonly unit: number;
  private readonly waiting: Uint8Array<ArrayBuffer>;
  private waitingBytes = 0;
  private taken = 0;
  private written = 0;

  constructor(
    private readonly device: GPUDevice,
    private readonly item: PlanUpload,
    source: StoredBytes,
    private readonly buffer: GPUBuffer,
  ) {
    this.start = source.offset;
    this.end = source.offset + source.length;
    // Twice the element for a widening of 2-byte elements keeps every write a multiple of 4 bytes.
    this.unit = Math.max(4, conversionUnit(item.from, item.to));
    this.waiting = new Uint8Array(this.unit);
  }

  /** Takes what of `bytes` belongs to the tensor; returns how many bytes that were. */
  take(offset: number, bytes: Uint8Array<ArrayBuffer>): number {
    const from = Math.max(this.start + this.taken, offset) - offset;
    const to = Math.min(this.end, offset + bytes.byteLength) - offset;
    if (to <= from) return 0;
    this.taken += to - from;
    let at = from;
    if (this.waitingBytes > 0) {
      const fill = Math.min(this.unit - this.waitingBytes, to - at);
      this.waiting.set(bytes.subarray(at, at + fill), this.waitingBytes);
      this.waitingBytes += fill;
      at += fill;
      if (this.waitingBytes < this.unit) return to - from;
      this.write(this.waiting);
      this.waitingBytes = 0;
    }
    const whole = Math.floor((to - at) / this.unit) * this.unit;
    if (whole > 0) this.write(bytes.subarray(at, at + whole));
    this.waitingBytes = to - at - whole;
    this.waiting.set(bytes.subarray(at + whole, to));
    return to - from;
  }

  finish(): void {
    if (this.taken !== this.end - this.start) {
      throw new LeptonError(
        'INVALID_MODEL',
        `The weights of tensor "${this.item.tensor}" end early: ${this.taken} of ${this.end - this.start} bytes at byte ${this.start}. The file is truncated; download it again.`,
        { details: { tensor: this.item.tensor, offset: this.start, expected: this.end - this.start, got: this.taken } },
      );
    }
    if (this.waitingBytes > 0) this.write(this.waiting.subarray(0, this.waitingBytes));
  }

  private write(bytes: Uint8Array<ArrayBuffer>): void {
    const { from, to, tensor } = this.item;
    const direct = from === to && bytes.byteLength % 4 === 0;
    const form = direct ? bytes : toDevice(from, to, bytes, tensor);
    this.device.queue.writeBuffer(this.buffer, this.written, form);
    this.written += form.byteLength;
  }
}
