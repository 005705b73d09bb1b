// Reused byte buffers and the one way in which a Blob is read into them. Invariant: however many bytes
// pass through, the JS heap holds only the buffers that are taken plus a few spare ones. (Fresh buffers
// per chunk, as from blob.arrayBuffer(), pile up by the dozen before the collector looks at them.)

const spareBuffers = 4;
/** Spare buffers whose content may be asked for: the newest that have any. Nobody takes them meanwhile. */
const rememberedBuffers = 2;

/** What a spare buffer begins with: a chunk of something. */
export interface Content {
  readonly of: object;
  readonly index: number;
  readonly length: number;
}

interface Spare {
  readonly buffer: ArrayBuffer;
  content: Content | undefined;
}

export interface BufferPool {
  /** A buffer of exactly `bytes`, its contents arbitrary. */
  take(bytes: number): ArrayBuffer;
  /** Hands a buffer back, with what is in it where somebody may want that soon. One that was detached is dropped. */
  give(buffer: ArrayBuffer, content?: Content): void;
  /** What was given lately, if it is still there; valid until anything is awaited. */
  recall(of: object, index: number): Uint8Array<ArrayBuffer> | undefined;
}

export function bufferPool(): BufferPool {
  const spare: Spare[] = [];
  return {
    take(bytes) {
      const at = spare.findLastIndex(({ buffer, content }) => !content && buffer.byteLength === bytes);
      return at < 0 ? new ArrayBuffer(bytes) : (spare.splice(at, 1)[0] as Spare).buffer;
    },
    give(buffer, content) {
      if (buffer.byteLength === 0) return;
      spare.push({ buffer, content });
      const remembered = spare.filter((s) => s.content);
      if (remembered.length > rememberedBuffers) (remembered[0] as Spare).content = undefined;
      if (spare.length > spareBuffers) spare.shift();
    },
    recall(of, index) {
      const found = spare.find(({ content }) => content?.of === of && content.index === index);
      return found?.content && new Uint8Array(found.buffer, 0, found.content.length);
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
