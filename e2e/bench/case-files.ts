// Puts a case on the server, where the pages fetch it: the model, TF.js's form of it, the feeds, and what the
// oracle (ONNX Runtime on the CPU) answers. Of training: the weights to begin with, the batch, and the first losses.

import { encode, type NDArray, ndarray } from '../../src/base/ndarray';
import { ortRun } from '../support/oracle';
import type { BenchCase, TrainingCase } from './cases';
import { learningRate } from './cases/training';
import { firstLosses } from './first-losses';
import type { CaseFiles, TensorFile, TrainingFiles } from './pages/runtime';
import { convert } from './tfjs/convert';

export type PutFile = (path: string, bytes: Uint8Array) => void;

/** Losses are rounded sums of thousands of terms, and each step begins where the last one's rounding led. */
const lossTolerance = 1e-3;

/**
 * @param forTfjs whether TF.js is to run it
 * @returns the paths that were put, `case.json` of `folder` among them
 */
export async function putCase(
  folder: string,
  test: BenchCase | TrainingCase,
  put: PutFile,
  { forTfjs = true } = {},
): Promise<string[]> {
  const files = new Folder(folder, put);
  const described = test.group === 'train' ? await training(test, files) : await inference(test, files, forTfjs);
  files.add('case.json', asJson(described));
  return files.paths;
}

async function inference(test: BenchCase, files: Folder, forTfjs: boolean): Promise<CaseFiles> {
  const model = await test.model();
  const feeds = test.feeds();
  const answers = await ortRun(model, feeds);
  const asFloats = Object.entries(answers).map(
    ([name, { dims, data }]) => [name, ndarray('float32', dims, data)] as const,
  );
  const converted = forTfjs ? await convert(model, feeds).catch(() => undefined) : undefined;
  if (converted) {
    files.add('graph.json', asJson(converted.graph));
    files.add('weights.bin', converted.weights);
  }
  return {
    name: test.name,
    resident: test.resident,
    tolerance: test.tolerance,
    model: files.add('model.onnx', model),
    ...(converted && { graph: files.path }),
    feeds: files.tensors('feed', feeds),
    expected: files.tensors('expected', Object.fromEntries(asFloats)),
  };
}

async function training(test: TrainingCase, files: Folder): Promise<TrainingFiles> {
  const { name, spec, loss } = test;
  const [x, y] = [test.x(), test.y()];
  const { weights, losses } = await firstLosses(test, { x, y });
  return {
    name,
    tolerance: lossTolerance,
    training: { spec, loss, learningRate },
    weights: files.tensors('weight', weights),
    feeds: files.tensors('feed', { x, y }),
    expected: files.tensors('expected', { losses: ndarray('float32', [losses.length], losses) }),
  };
}

/** A folder of the server, and what was put there. */
class Folder {
  readonly paths: string[] = [];

  constructor(
    readonly path: string,
    private readonly put: PutFile,
  ) {}

  add(name: string, bytes: Uint8Array): string {
    const path = `${this.path}/${name}`;
    this.put(path, bytes);
    this.paths.push(path);
    return path;
  }

  tensors(kind: string, arrays: Readonly<Record<string, NDArray>>): TensorFile[] {
    return Object.entries(arrays).map(([name, array], i) => {
      const url = this.add(`${kind}-${i}.bin`, encode(array));
      return { name, dtype: array.dtype, dims: array.dims, url };
    });
  }
}

function asJson(value: object): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}
