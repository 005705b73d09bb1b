// A safetensors file's header: tensors by name, each with the place of its bytes, which stay where they are. Layout: 8 bytes of
// header length, the header as JSON, the data. Invariant: every byte of the data belongs to exactly one tensor, as the format
// demands, so that a file cannot hide anything. https://github.com/huggingface/safetensors#format

import type { ByteSource } from '../base/bytes';
import { type DType, packedBytes } from '../base/dtype';
import { safetensorsNames } from '../base/safetensors-dtypes';
import { formatDims, sizeOf } from '../base/shape';
import { malformed, unsupported } from './malformed';

export interface SafetensorsEntry {
  readonly dtype: DType;
  readonly dims: readonly number[];
  /** Of the packed little-endian elements, in the file. */
  readonly offset: number;
  readonly length: number;
}

export interface SafetensorsFile {
  readonly tensors: ReadonlyMap<string, SafetensorsEntry>;
  readonly metadata: Readonly<Record<string, string>>;
}

const lengthBytes = 8;
/** The format's own limit. */
const longestHeader = 100_000_000;
const metadataKey = '__metadata__';

const dtypesByName = new Map(Object.entries(safetensorsNames).map(([dtype, name]) => [name as string, dtype as DType]));

/** @throws INVALID_MODEL for damaged files, UNSUPPORTED_MODEL for element types Lepton lacks, ABORTED */
export async function readSafetensors(source: ByteSource, signal?: AbortSignal): Promise<SafetensorsFile> {
  const prefix = await source.read(0, lengthBytes, signal);
  if (prefix.length < lengthBytes) {
    throw malformed(`The safetensors file is truncated: it has ${prefix.length} bytes, and its length alone takes 8.`, {
      offset: 0,
    });
  }
  const length = Number(new DataView(prefix.buffer, prefix.byteOffset).getBigUint64(0, true));
  if (length > longestHeader || lengthBytes + length > (source.size ?? Number.POSITIVE_INFINITY)) {
    throw malformed(
      `At byte 0 the safetensors file says that its header has ${length} bytes, ${length > longestHeader ? 'more than the format allows' : 'but it ends before that'}. It is damaged, or no safetensors file.`,
      { offset: 0, got: length },
    );
  }
  const text = await source.read(lengthBytes, length, signal);
  if (text.length < length) {
    throw malformed(
      `The safetensors file is truncated: it ends at byte ${lengthBytes + text.length}, inside its header.`,
      {
        offset: lengthBytes + text.length,
      },
    );
  }
  const header = parseHeader(text);
  const start = lengthBytes + length;
  const tensors = new Map<string, SafetensorsEntry>();
  for (const [name, entry] of Object.entries(header)) {
    if (name !== metadataKey) tensors.set(name, readEntry(name, entry, start));
  }
  const end = checkRanges(tensors, start);
  await checkEnd(source, end, signal);
  return { tensors, metadata: readMetadata(header[metadataKey]) };
}

function parseHeader(bytes: Uint8Array): Record<string, unknown> {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw malformed(`The header of the safetensors file, from byte 8, is no JSON: ${(cause as Error).message}`, {
      offset: lengthBytes,
    });
  }
  if (isObject(header)) return header;
  throw malformed('The header of the safetensors file, at byte 8, is no JSON object.', { offset: lengthBytes });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((v) => Number.isSafeInteger(v) && v >= 0);
}

function readEntry(name: string, entry: unknown, start: number): SafetensorsEntry {
  const owner = `Tensor "${name}" of the safetensors file`;
  if (!isObject(entry)) throw malformed(`${owner} has no description.`, { tensor: name });
  const { dtype: written, shape: dims, data_offsets: offsets } = entry;
  if (typeof written !== 'string') throw malformed(`${owner} has no element type (dtype).`, { tensor: name });
  if (!isSizes(dims)) throw malformed(`${owner} has no shape of whole numbers.`, { tensor: name, got: dims });
  if (!isSizes(offsets) || offsets.length !== 2 || (offsets[0] as number) > (offsets[1] as number)) {
    throw malformed(`${owner} has no data_offsets [begin, end].`, { tensor: name, got: offsets });
  }
  const dtype = dtypesByName.get(written);
  if (!dtype) throw unsupported(`${owner} has the element type ${written}, which Lepton lacks.`, { tensor: name });
  const [begin, end] = offsets as [number, number];
  const expected = packedBytes(dtype, sizeOf(dims));
  if (end - begin !== expected) {
    throw malformed(
      `${owner} (${dtype} ${formatDims(dims)}) needs ${expected} bytes, but has ${end - begin}, from byte ${start + begin} to ${start + end}.`,
      { tensor: name, offset: start + begin, expected, got: end - begin },
    );
  }
  return { dtype, dims, offset: start + begin, length: end - begin };
}

/** @returns where the data ends */
function checkRanges(tensors: ReadonlyMap<string, SafetensorsEntry>, start: number): number {
  const inOrder = [...tensors].sort(([, a], [, b]) => a.offset - b.offset || a.length - b.length);
  let at = start;
  for (const [name, { offset, length }] of inOrder) {
    if (offset !== at) {
      throw malformed(
        `Tensor "${name}" of the safetensors file begins at byte ${offset}, but what lies before it ends at byte ${at}: ${offset < at ? 'they overlap' : 'the bytes between belong to nothing'}.`,
        { tensor: name, offset, expected: at },
      );
    }
    at += length;
  }
  return at;
}

/** The length of a download may be unknown: then the last byte is looked for, and one behind it. */
async function checkEnd(source: ByteSource, end: number, signal: AbortSignal | undefined): Promise<void> {
  const size = source.size ?? end - 1 + (await source.read(end - 1, 2, signal)).length;
  if (size === end) return;
  throw malformed(
    size < end
      ? `The safetensors file is truncated: it ends at byte ${size}, and its tensors at byte ${end}.`
      : `The tensors of the safetensors file end at byte ${end}, but it goes on.`,
    { offset: Math.min(size, end), expected: end },
  );
}

function readMetadata(metadata: unknown): Record<string, string> {
  if (metadata === undefined) return {};
  if (isObject(metadata)) {
    const entries = Object.entries(metadata);
    if (entries.every((entry): entry is [string, string] => typeof entry[1] === 'string'))
      return Object.fromEntries(entries);
  }
  throw malformed('The metadata of the safetensors file must be strings by name.', { offset: lengthBytes });
}
