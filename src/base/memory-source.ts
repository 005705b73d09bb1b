// A ByteSource over bytes that are in memory.

import type { BytePiece, ByteSource } from './bytes';

const pieceBytes = 1 << 20;

export function memorySource(bytes: Uint8Array): ByteSource {
  const copy = (from: number, to: number) => new Uint8Array(bytes.subarray(from, to));
  return {
    size: bytes.length,
    read: async (offset, length) => copy(offset, offset + length),
    async *stream(start, end): AsyncGenerator<BytePiece> {
      const stop = Math.min(end, bytes.length);
      for (let offset = start; offset < stop; offset += pieceBytes) {
        yield { offset, bytes: copy(offset, Math.min(stop, offset + pieceBytes)) };
      }
    },
  };
}
