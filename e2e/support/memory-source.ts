// A ByteSource over bytes in memory, which counts what is read of it.

import type { BytePiece, ByteSource } from '../../src/base/bytes';

const pieceBytes = 1 << 20;

export class MemorySource implements ByteSource {
  readonly size: number | undefined;
  bytesRead = 0;
  reads = 0;

  /** @param sized false to keep the length secret, as while a download has not said it */
  constructor(
    private readonly bytes: Uint8Array,
    sized = true,
  ) {
    this.size = sized ? bytes.length : undefined;
  }

  async read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = new Uint8Array(this.bytes.subarray(offset, offset + length));
    this.reads++;
    this.bytesRead += bytes.length;
    return bytes;
  }

  async *stream(start: number, end: number): AsyncGenerator<BytePiece> {
    for (let offset = start; offset < Math.min(end, this.bytes.length); offset += pieceBytes) {
      yield { offset, bytes: await this.read(offset, Math.min(pieceBytes, end - offset)) };
    }
  }
}
