// The shared test data: `../shared/data` beside the project, or the folder of LEPTON_DATA. Where it is
// absent, suites that need it are skipped with a message, or fail where CI is set. Also reads the
// TensorProto files (`input_0.pb`, `output_0.pb`) that lie beside models.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PbfReader } from 'pbf';
import { describe } from 'vitest';
import { sharedDataFolder } from '../../.ci/shared-data';
import { decode, type NDArray, ndarray } from '../../src/base/ndarray';
import { dtypeOfNumber } from '../../src/base/onnx-dtypes';
import { sizeOf } from '../../src/base/shape';

const folder = sharedDataFolder(fileURLToPath(new URL('../..', import.meta.url)));

/** The absolute path of a file or folder of the shared data, such as dataPath('models', 'yunet'). */
export function dataPath(...parts: string[]): string {
  return join(folder, ...parts);
}

export function hasData(): boolean {
  return existsSync(folder);
}

/** A suite that needs the shared data. */
export function describeWithData(name: string, suite: () => void): void {
  if (hasData()) describe(name, suite);
  else if (process.env.CI) describe(name, () => fail(name));
  else describe.skip(`${name} [no shared data: set LEPTON_DATA to its folder]`, () => {});
}

function fail(name: string): never {
  throw new Error(`"${name}" needs the shared test data, but there is no folder ${folder}. Set LEPTON_DATA.`);
}

export interface NamedTensor extends NDArray {
  /** As in the file; often the name of the model's input or output, sometimes ''. */
  readonly name: string;
}

/** The tensors `input_0.pb`, `input_1.pb` … (or `output_*.pb`) of a folder, in order. */
export function readTensors(path: string, prefix: 'input' | 'output'): NamedTensor[] {
  const order = (file: string) => Number(/_(\d+)\.pb$/.exec(file)?.[1]);
  return readdirSync(path)
    .filter((file) => new RegExp(`^${prefix}_\\d+\\.pb$`).test(file))
    .sort((a, b) => order(a) - order(b))
    .map((file) => parseTensor(readFileSync(join(path, file))));
}

/** One TensorProto. Throws for types without a numeric form, such as strings. */
export function parseTensor(bytes: Uint8Array): NamedTensor {
  const fields = {
    dims: [] as number[],
    type: 0,
    name: '',
    raw: undefined as Uint8Array | undefined,
    data: [] as number[],
  };
  // A view of its own: slices of a Node Buffer share its memory, those of a Uint8Array are copies.
  const view = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  new PbfReader(view).readFields((tag, out, pbf) => {
    if (tag === 1) pbf.readPackedVarint(out.dims, true);
    else if (tag === 2) out.type = pbf.readVarint();
    else if (tag === 4) pbf.readPackedFloat(out.data);
    else if (tag === 5 || tag === 7) pbf.readPackedVarint(out.data, true);
    else if (tag === 8) out.name = pbf.readString();
    else if (tag === 9) out.raw = pbf.readBytes();
    else if (tag === 10) pbf.readPackedDouble(out.data);
    else if (tag === 11) pbf.readPackedVarint(out.data);
  }, fields);
  const dtype = dtypeOfNumber(fields.type);
  if (!dtype)
    throw new Error(`TensorProto "${fields.name}" has data type ${fields.type}, which has no numeric form here.`);
  if (fields.raw || sizeOf(fields.dims) === 0) {
    return { name: fields.name, ...decode(dtype, fields.dims, fields.raw ?? new Uint8Array()) };
  }
  if (dtype === 'float16') {
    // int32_data holds the bits.
    const bits = Uint16Array.from(fields.data);
    return { name: fields.name, ...decode(dtype, fields.dims, new Uint8Array(bits.buffer)) };
  }
  return { name: fields.name, ...ndarray(dtype, fields.dims, fields.data) };
}
