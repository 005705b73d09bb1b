// Reused byte buffers and the one way in which a Blob is read into them. Invariant: however many bytes
// pass through, the JS heap holds only the buffers that are taken plus a few spare ones. (Fresh buffers
// per chunk, as from blob.arrayBuffer(), pile up by the dozen before the collector looks at them.)

const spareBuffers = 4;

export interface BufferPool {
  /** A buffer of exactly `bytes`, its contents arbitrary. */
  take(bytes: number): ArrayBuffer;
  /** Hands a buffer back. One that was detached or is of another size is dropped. */
  give(buffer: ArrayBuffer): void;
}

export function bufferPool(): BufferPool {
  const spare: ArrayBuffer[] = [];
  return {
    take(bytes) {
      const at = spare.findLastIndex((buffer) => buffer.byteLength === bytes);
      return at < 0 ? new ArrayBuffer(bytes) : (spare.splice(at, 1)[0] as ArrayBuffer);
    },
    give(buffer) {
      if (buffer.byteLength === 0) return;
      spare.push(buffer);
      if (spare.length > spareBuffers) spare.shift();
    },
  };
}

/**
 * Reads a whole Blob to `buffer` from byte `at` on, where it must fit. A BYOB reader detaches the
 * buffer given and returns its memory under a new object: use the returned one from then on. Rejects
 * if the Blob's bytes cannot be read; the buffer is lost then.
 */
export async function readBlob(blob: Blob, buffer: ArrayBuffer, at = 0): Promise<ArrayBuffer> {
  const stream = blob.stream();
  let reader: ReadableStreamBYOBReader;
  try {
    reader = stream.getReader({ mode: 'byob' });
  } catch {
    // WebKit's Blob streams were not byte streams for long; remove this when all supported browsers' are.
    return copyStream(stream, buffer, at);
  }
  let filled = 0;
  let memory = buffer;
  while (filled < blob.size) {
    const { done, value } = await reader.read(new Uint8Array(memory, at + filled, blob.size - filled));
    if (value) memory = value.buffer;
    if (done) throw new DOMException(`A Blob of ${blob.size} bytes ended after ${filled}.`, 'NotReadableError');
    filled += value.byteLength;
  }
  void reader.cancel();
  return memory;
}

async function copyStream(stream: ReadableStream<Uint8Array>, buffer: ArrayBuffer, at: number): Promise<ArrayBuffer> {
  const target = new Uint8Array(buffer);
  const reader = stream.getReader();
  let filled = at;
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    target.set(piece.value, filled);
    filled += piece.value.byteLength;
  }
  return buffer;
}
