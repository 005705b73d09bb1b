// Bytes and text from wherever data files are: fetched, in a Blob or in memory, and unpacked where they are gzipped.

import { abortError, LeptonError, throwIfAborted } from '../base/errors';

/** A string is an address. */
export type DataSource =
  | string
  | URL
  | Request
  | Response
  | Blob
  | ArrayBuffer
  | ArrayBufferView
  | ReadableStream<Uint8Array>;

/**
 * The contents in pieces.
 * @param what the file, for errors: 'the CSV file'
 * @throws NETWORK, ABORTED, INVALID_DATA for a damaged gzip file
 */
export async function* pieces(source: DataSource, what: string, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  const reader = (await unpacked(await open(source, what, signal), what)).getReader();
  try {
    for (;;) {
      throwIfAborted(signal, `Reading ${what}`);
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } catch (cause) {
    if (signal?.aborted) throw abortError(signal, `Reading ${what}`);
    if (cause instanceof LeptonError) throw cause;
    throw new LeptonError('INVALID_DATA', `Unpacking ${what} failed: it is damaged or cut off (${messageOf(cause)}).`, {
      cause,
    });
  } finally {
    await reader.cancel().catch(() => {});
  }
}

export async function allBytes(
  source: DataSource,
  what: string,
  signal?: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const piece of pieces(source, what, signal)) {
    parts.push(piece);
    length += piece.length;
  }
  const out = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

async function open(source: DataSource, what: string, signal?: AbortSignal): Promise<ReadableStream<Uint8Array>> {
  if (source instanceof ReadableStream) return source;
  if (source instanceof Blob) return source.stream();
  if (source instanceof ArrayBuffer || ArrayBuffer.isView(source)) return new Blob([source as BlobPart]).stream();
  let response: Response;
  try {
    response = source instanceof Response ? source : await fetch(source, signal ? { signal } : {});
  } catch (cause) {
    if (signal?.aborted) throw abortError(signal, `Reading ${what}`);
    throw new LeptonError('NETWORK', `${what} could not be fetched from ${addressOf(source)}: ${messageOf(cause)}`, {
      cause,
    });
  }
  if (!response.ok || !response.body) {
    throw new LeptonError(
      'NETWORK',
      `${what} could not be fetched from ${response.url}: ${response.status} ${response.statusText}.`,
    );
  }
  return response.body;
}

function addressOf(source: string | URL | Request | Response): string {
  return typeof source === 'string' || source instanceof URL ? String(source) : source.url;
}

/** The stream as it is, or what is inside where it begins as gzip does. Failures to read are NETWORK errors of its own. */
async function unpacked(stream: ReadableStream<Uint8Array>, what: string): Promise<ReadableStream<Uint8Array>> {
  const reader = stream.getReader();
  const read = async () => {
    try {
      return await reader.read();
    } catch (cause) {
      throw new LeptonError('NETWORK', `Reading ${what} broke off: ${messageOf(cause)}`, { cause });
    }
  };
  const start: Uint8Array[] = [];
  for (let length = 0; length < 2; ) {
    const { done, value } = await read();
    if (done) break;
    start.push(value);
    length += value.length;
  }
  const [first, second] = start.flatMap((piece) => [...piece.subarray(0, 2)]);
  const whole = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      const value = start.shift() ?? (await read()).value;
      if (value) controller.enqueue(value as Uint8Array<ArrayBuffer>);
      else controller.close();
    },
    cancel: (reason) => reader.cancel(reason),
  });
  return first === 0x1f && second === 0x8b ? whole.pipeThrough(new DecompressionStream('gzip')) : whole;
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
