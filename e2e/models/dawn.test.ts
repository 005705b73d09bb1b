// Real networks in Node on Dawn: the whole way from bytes to answer without a page or a worker. The
// executor needs a GPUDevice and the file's bytes, nothing else.

import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { NDArray } from '../../src/base/ndarray';
import { dataPath, describeWithData, readTensors } from '../support/data';
import { describeDawn } from '../support/dawn';
import { openOnGpu } from '../support/engines';
import { disagreement } from './compare';
import { pathOf, referenceModels } from './list';

describeWithData('models in Node', () => {
  describeDawn('on Dawn', (dawn) => {
    for (const model of referenceModels) {
      const { reference } = model;
      if (!reference) continue;
      it(model.name, async () => {
        const opened = await openOnGpu(dawn.gpu, new Uint8Array(readFileSync(pathOf(model))));
        try {
          const { inputs, outputs, values } = opened.graph;
          const given = readTensors(dataPath(...reference), 'input');
          const feeds = inputs.map((name, i): [string, NDArray] => {
            return [name, { ...(given[i] as NDArray), dtype: values.get(name)?.dtype ?? 'float32' }];
          });
          const expected = readTensors(dataPath(...reference), 'output');
          const want = outputs.map((name, i): [string, NDArray] => [name, expected[i] as NDArray]);
          const got = await opened.run(Object.fromEntries(feeds));
          expect(disagreement(got, Object.fromEntries(want), model.tolerance)).toEqual([]);
        } finally {
          await opened.dispose();
        }
      });
    }
  });
});
