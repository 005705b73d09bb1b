// The models that are damaged: ONNX's small operator cases, most of which also run, and some real networks,
// whose reading and planning is enough.

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { readTensorFile, type TensorFile } from '../support/tensor-file';

export interface Specimen {
  readonly name: string;
  readonly path: string;
  /** Folder of its test data, for models that are small enough to run. */
  readonly data?: string;
}

const largestCase = 20_000;
const networks = [
  ['iris-mlp-winml', 'Network.onnx'],
  ['mnist-onnxzoo', 'model.onnx'],
  ['mnist-opt-wonnx', 'opt-mnist.onnx'],
  ['cifar10-cnn-winml', 'ImageClassifier.onnx'],
  ['super-resolution', 'super_resolution.onnx'],
  ['yunet', 'yunet_s_320_320.onnx'],
] as const;

/** @param folder of the shared data */
export function specimens(folder: string): { cases: Specimen[]; networks: Specimen[] } {
  const nodes = join(folder, 'onnx-node/node');
  const cases = readdirSync(nodes)
    .sort()
    .map((name) => ({ name, path: join(nodes, name, 'model.onnx'), data: join(nodes, name, 'test_data_set_0') }))
    .filter(({ path }) => statSync(path).size < largestCase);
  return {
    cases,
    networks: networks
      .map((parts) => ({ name: parts.join('/'), path: join(folder, 'models', ...parts) }))
      .filter(({ path }) => existsSync(path)),
  };
}

export function modelOf({ path }: Specimen): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(path));
}

/** The tensors of the first data set that are tensors of numbers; what is missing is drawn. */
export function dataOf({ data }: Specimen): TensorFile[] {
  if (data === undefined) return [];
  const tensors: TensorFile[] = [];
  for (let i = 0; ; i++) {
    const file = join(data, `input_${i}.pb`);
    if (!existsSync(file)) return tensors;
    try {
      tensors.push(readTensorFile(readFileSync(file)));
    } catch {
      return tensors;
    }
  }
}
