// A ByteSource over a File, a Blob or (wrapped in a Blob) an ArrayBuffer that the caller already has.

import type { BytePiece, ByteSource } from '../base/bytes';
import { LeptonError, throwIfAborted } from '../base/errors';
import { bufferPool, readBlob } from './buffers';

const pieceBytes = 4 << 20;

/** Reads reject with INVALID_ARGUMENT where the Blob's file has changed or gone, and ABORTED. */
export function blobSource(blob: Blob): ByteSource {
  const pool = bufferPool();

  async function* stream(start: number, end: number, signal?: AbortSignal): AsyncGenerator<BytePiece, void> {
    const stop = Math.min(end, blob.size);
    let buffer = pool.take(pieceBytes);
    try {
      for (let offset = start; offset < stop; ) {
        throwIfAborted(signal, 'Reading a file');
        const part = blob.slice(offset, Math.min(offset + pieceBytes, stop));
        buffer = await readBlob(part, buffer).catch(unreadable);
        yield { offset, bytes: new Uint8Array(buffer, 0, part.size) };
        offset += part.size;
      }
    } finally {
      pool.give(buffer);
    }
  }

  return {
    size: blob.size,
    async read(offset, length, signal) {
      throwIfAborted(signal, 'Reading a file');
      const part = blob.slice(offset, offset + length);
      const bytes = await part.arrayBuffer().catch(unreadable);
      return new Uint8Array(bytes);
    },
    stream,
  };
}

function unreadable(cause: unknown): never {
  throw new LeptonError('INVALID_ARGUMENT', 'The file given cannot be read: it was changed, moved or removed.', {
    cause,
  });
}
