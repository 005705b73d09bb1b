// NumPy's .npz files: a ZIP archive of .npy files, stored or deflated. Read: little-endian booleans, integers and floats of
// up to 64 bits in C order. Refused: archives of more than 4 GiB, encrypted ones, text and objects.
// https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html

import type { DType } from '../base/dtype';
import { LeptonError } from '../base/errors';
import { decode, type NDArray } from '../base/ndarray';

/** The arrays by name. @throws INVALID_DATA naming the array */
export async function readNpz(file: Uint8Array): Promise<Map<string, NDArray>> {
  const arrays = new Map<string, NDArray>();
  for (const entry of entriesOf(file)) {
    if (!entry.name.endsWith('.npy')) continue;
    const name = entry.name.slice(0, -'.npy'.length);
    arrays.set(name, readNpy(await contentsOf(file, entry), name));
  }
  return arrays;
}

interface Entry {
  readonly name: string;
  readonly method: number;
  readonly packed: number;
  readonly offset: number;
}

/** By the directory at the archive's end. */
function entriesOf(file: Uint8Array): Entry[] {
  const view = viewOf(file);
  let end = file.length - 22;
  while (end >= 0 && view.getUint32(end, true) !== 0x06054b50) end--;
  if (end < 0) throw damaged('it is no ZIP archive');
  const entries: Entry[] = [];
  let at = view.getUint32(end + 16, true);
  for (let i = view.getUint16(end + 10, true); i > 0; i--) {
    if (at + 46 > end || view.getUint32(at, true) !== 0x02014b50) throw damaged('its directory is damaged');
    const [nameLength, extra, comment] = [28, 30, 32].map((o) => view.getUint16(at + o, true)) as [
      number,
      number,
      number,
    ];
    entries.push({
      name: new TextDecoder().decode(file.subarray(at + 46, at + 46 + nameLength)),
      method: view.getUint16(at + 10, true),
      packed: view.getUint32(at + 20, true),
      offset: view.getUint32(at + 42, true),
    });
    at += 46 + nameLength + extra + comment;
  }
  return entries;
}

async function contentsOf(file: Uint8Array, { name, method, packed, offset }: Entry): Promise<Uint8Array> {
  const view = viewOf(file);
  if (offset + 30 > file.length || view.getUint32(offset, true) !== 0x04034b50) throw damaged(`"${name}" is missing`);
  const start = offset + 30 + view.getUint16(offset + 26, true) + view.getUint16(offset + 28, true);
  const bytes = file.slice(start, start + packed);
  if (bytes.length !== packed) throw damaged(`"${name}" is cut off`);
  if (method === 0) return bytes;
  if (method !== 8) throw damaged(`"${name}" is compressed by method ${method}; expected none or deflate`);
  try {
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  } catch (cause) {
    throw damaged(`"${name}" cannot be unpacked`, cause);
  }
}

const dtypes: Readonly<Record<string, DType>> = {
  '|b1': 'bool',
  '|i1': 'int8',
  '|u1': 'uint8',
  '<i2': 'int16',
  '<u2': 'uint16',
  '<i4': 'int32',
  '<u4': 'uint32',
  '<i8': 'int64',
  '<u8': 'uint64',
  '<f2': 'float16',
  '<f4': 'float32',
  '<f8': 'float64',
};

function readNpy(bytes: Uint8Array, name: string): NDArray {
  const view = viewOf(bytes);
  if (bytes.length < 12 || new TextDecoder('latin1').decode(bytes.subarray(1, 6)) !== 'NUMPY') {
    throw damaged(`"${name}" is no .npy file`);
  }
  const isLong = (bytes[6] as number) > 1;
  const start = isLong ? 12 : 10;
  const length = isLong ? view.getUint32(8, true) : view.getUint16(8, true);
  const header = new TextDecoder().decode(bytes.subarray(start, start + length));
  const [, descr = ''] = /'descr':\s*'([^']*)'/.exec(header) ?? [];
  const [, order] = /'fortran_order':\s*(True|False)/.exec(header) ?? [];
  const [, shape] = /'shape':\s*\(([^)]*)\)/.exec(header) ?? [];
  const dtype = Object.hasOwn(dtypes, descr) ? dtypes[descr] : undefined;
  if (!dtype) throw damaged(`"${name}" has elements of type "${descr}"; there are ${Object.keys(dtypes).join(', ')}`);
  if (order !== 'False' || shape === undefined)
    throw damaged(`"${name}" is not in C order: save np.ascontiguousarray(…)`);
  const sizes = shape.split(',').map((d) => d.trim());
  const dims = sizes.filter((d) => d !== '').map(Number);
  if (!sizes.every((d) => /^\d*$/.test(d)) || !dims.every(Number.isSafeInteger))
    throw damaged(`"${name}" has the impossible shape (${shape})`);
  try {
    return decode(dtype, dims, bytes.subarray(start + length));
  } catch (cause) {
    throw damaged(`"${name}": ${(cause as Error).message}`, cause);
  }
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

function damaged(problem: string, cause?: unknown): LeptonError {
  return new LeptonError('INVALID_DATA', `The .npz file cannot be read: ${problem}.`, { cause });
}
