// Random and streaming access to a file's bytes, wherever they are: memory, a Blob, the store, or a
// download that is still running. Readers must not assume that the whole fits into the heap.

export interface ByteSource {
  /** Total length in bytes, or undefined while a download has not said. */
  readonly size: number | undefined;
  /** A copy of bytes [offset, offset + length), fewer at the end of the file. Waits for a download. */
  read(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>>;
  /**
   * The bytes [start, end) in order, in pieces of at most a few MiB. A piece's buffer is reused: it is
   * valid only until the next one is asked for.
   */
  stream(start: number, end: number, signal?: AbortSignal): AsyncIterable<BytePiece>;
}

export interface BytePiece {
  /** File offset of the first byte of `bytes`. */
  readonly offset: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}
