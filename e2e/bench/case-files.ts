// Puts a case on the server, where the pages fetch it: the model, TF.js's form of it, the feeds, and what the
// oracle (ONNX Runtime on the CPU) answers.

import { encode, type NDArray, ndarray } from '../../src/base/ndarray';
import { ortRun } from '../support/oracle';
import type { BenchCase } from './cases';
import type { CaseFiles, TensorFile } from './pages/runtime';
import { convert } from './tfjs/convert';

export type PutFile = (path: string, bytes: Uint8Array) => void;

/** @returns the paths that were put, `case.json` of `folder` among them */
export async function putCase(folder: string, test: BenchCase, put: PutFile): Promise<string[]> {
  const paths: string[] = [];
  const add = (name: string, bytes: Uint8Array) => {
    const path = `${folder}/${name}`;
    put(path, bytes);
    paths.push(path);
    return path;
  };
  const tensors = (kind: string, arrays: Readonly<Record<string, NDArray>>): TensorFile[] =>
    Object.entries(arrays).map(([name, array], i) => {
      const url = add(`${kind}-${i}.bin`, encode(array));
      return { name, dtype: array.dtype, dims: array.dims, url };
    });
  const model = test.model();
  const feeds = test.feeds();
  const answers = await ortRun(model, feeds);
  const asFloats = Object.entries(answers).map(
    ([name, { dims, data }]) => [name, ndarray('float32', dims, data)] as const,
  );
  const converted = await convert(model, feeds).catch(() => undefined);
  if (converted) {
    add('graph.json', Buffer.from(JSON.stringify(converted.graph)));
    add('weights.bin', converted.weights);
  }
  const files: CaseFiles = {
    name: test.name,
    resident: test.resident,
    tolerance: test.tolerance,
    model: add('model.onnx', model),
    ...(converted && { graph: folder }),
    feeds: tensors('feed', feeds),
    expected: tensors('expected', Object.fromEntries(asFloats)),
  };
  add('case.json', Buffer.from(JSON.stringify(files)));
  return paths;
}
