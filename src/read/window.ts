// A small movable view of a file, for reading it front to back while skipping most of it. The look-ahead
// grows while reading is sequential and falls back after a jump, so that visiting many tensors reads
// little more than their headers. Invariant: at most one view is held.

import { PbfReader } from 'pbf';
import type { ByteSource } from '../base/bytes';
import { throwIfAborted } from '../base/errors';

const smallest = 2 << 10;
const largest = 256 << 10;

export class Window {
  /** A protobuf reader over the view: `pbf.pos` is relative to `start`. */
  pbf = new PbfReader(new Uint8Array());
  start = 0;
  private lookAhead = smallest;

  constructor(
    private readonly source: ByteSource,
    private readonly signal?: AbortSignal,
  ) {}

  /** Length of the file; Infinity while a download has not said. */
  get fileEnd(): number {
    return this.source.size ?? Number.POSITIVE_INFINITY;
  }

  get end(): number {
    return this.start + this.pbf.length;
  }

  holds(offset: number, length: number): boolean {
    return offset >= this.start && offset + length <= this.end;
  }

  /** Brings bytes [offset, offset + length) into view; returns how many there are, fewer at the file's end. */
  async load(offset: number, length: number): Promise<number> {
    if (!this.holds(offset, length)) {
      throwIfAborted(this.signal, 'Reading the model');
      const sequential = offset >= this.start && offset <= this.end;
      this.lookAhead = sequential ? Math.min(2 * this.lookAhead, largest) : smallest;
      const wanted = Math.min(Math.max(length, this.lookAhead), Math.max(0, this.fileEnd - offset));
      const bytes = wanted > 0 ? await this.source.read(offset, wanted, this.signal) : new Uint8Array();
      this.pbf = new PbfReader(bytes);
      this.start = offset;
    }
    return Math.min(length, this.end - offset);
  }

  /** The bytes [offset, offset + length), which `load` has brought into view; valid until the next load. */
  bytes(offset: number, length: number): Uint8Array {
    return this.pbf.buf.subarray(offset - this.start, offset - this.start + length);
  }
}
