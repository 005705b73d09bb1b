// The shared test data: `../shared/data` beside the project, or the folder of LEPTON_DATA. Where it is
// absent, suites that need it are skipped with a message, or fail where CI is set. Also reads the
// tensors (`input_0.pb`, `output_0.pb`) that lie beside models.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe } from 'vitest';
import { sharedDataFolder } from '../../.ci/shared-data';
import { decode, type NDArray } from '../../src/base/ndarray';
import { readTensorFile } from './tensor-file';

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
export function parseTensor(file: Uint8Array): NamedTensor {
  const { name, dtype, dims, bytes } = readTensorFile(file);
  return { name, ...decode(dtype, dims, bytes) };
}
