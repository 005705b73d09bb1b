// The real networks of the shared data as cases, with the inputs that lie beside them.

import { existsSync, readFileSync } from 'node:fs';
import type { NDArray } from '../../src/base/ndarray';
import { compiler } from '../../src/worker/compiler';
import { pathOf, referenceModels } from '../models/list';
import { dataPath, hasData, readTensors } from '../support/data';
import { MemorySource } from '../support/memory-source';
import type { BenchCase } from './cases';

/** Those whose names match; none, and a message, where this machine lacks the data. */
export async function modelCases(only: RegExp): Promise<BenchCase[]> {
  const wanted = referenceModels.filter(({ name, reference }) => reference && only.test(nameOf(name)));
  if (wanted.length > 0 && !hasData()) {
    console.log(`No real models: there is no folder ${dataPath()}. Set LEPTON_DATA to the shared data.`);
    return [];
  }
  const cases: BenchCase[] = [];
  for (const model of wanted) {
    if (!model.reference || !existsSync(pathOf(model))) continue;
    const bytes = new Uint8Array(readFileSync(pathOf(model)));
    const { graph } = await compiler.read(new MemorySource(bytes), new AbortController().signal);
    const given = readTensors(dataPath(...model.reference), 'input');
    const feeds = graph.inputs.map((name, i): [string, NDArray] => {
      return [name, { ...(given[i] as NDArray), dtype: graph.values.get(name)?.dtype ?? 'float32' }];
    });
    cases.push({
      name: nameOf(model.name),
      group: 'model',
      resident: false,
      tolerance: model.tolerance,
      model: () => bytes,
      feeds: () => Object.fromEntries(feeds),
    });
  }
  return cases;
}

const nameOf = (name: string) => `model ${name}`;
