// Real networks through the script-tag build in real browsers, against onnxruntime-web's wasm engine.

import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type NDArray, ndarray } from '../../src/base/ndarray';
import { describeBrowsers, type TestPage } from '../support/browsers';
import { dataPath, describeWithData, readTensors } from '../support/data';
import { loadAndRun, openLeptonPage, startLeptonServer } from '../support/lepton-page';
import { ortOpen } from '../support/oracle';
import type { TestServer } from '../support/server';
import { disagreement } from './compare';
import { pathOf, type ReferenceModel, referenceModels } from './list';

/** The oracle's answers, computed once for all browsers. */
const answers = new Map<string, Promise<{ feeds: Record<string, NDArray>; outputs: Record<string, NDArray> }>>();

function oracle(model: ReferenceModel) {
  let answer = answers.get(model.name);
  if (!answer) {
    answer = (async () => {
      const session = await ortOpen(readFileSync(pathOf(model)));
      const inputs = model.reference ? readTensors(dataPath(...model.reference), 'input') : drawn(model.draw ?? []);
      const half = model.name.includes('fp16');
      const feeds = Object.fromEntries(
        session.inputNames.map((name, i) => {
          const { dtype, dims, data } = inputs[i] as NDArray;
          return [name, ndarray(half && dtype === 'float32' ? 'float16' : dtype, dims, data)];
        }),
      );
      const outputs = await session.run(feeds);
      await session.release();
      return { feeds, outputs };
    })();
    answers.set(model.name, answer);
  }
  return answer;
}

/** Numbers that look like measurements; any will do. */
function drawn(shapes: readonly (readonly number[])[]): NDArray[] {
  return shapes.map((dims) => {
    const array = ndarray('float32', dims);
    for (let i = 0; i < array.data.length; i++) array.data[i] = 4 + 3 * Math.sin(1 + i);
    return array;
  });
}

describeWithData('models', () => {
  describeBrowsers('against onnxruntime-web', (browser) => {
    let server: TestServer;
    let page: TestPage;
    beforeAll(async () => {
      server = await startLeptonServer();
      server.mount('/models', dataPath('models'));
      page = await openLeptonPage(browser, server);
    });
    afterAll(async () => {
      await page.close();
      await server.close();
    });

    for (const model of referenceModels) {
      test(model.name, async () => {
        const { feeds, outputs } = await oracle(model);
        const report = await loadAndRun(page, `${server.url}/${model.path.join('/')}`, feeds, { cache: false });
        expect(disagreement(report.outputs, outputs, model.tolerance)).toEqual([]);
        expect(Object.keys(report.outputs)).toEqual(Object.keys(outputs));
      });
    }
  });
});
