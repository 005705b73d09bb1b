// ONNX's own operator cases, through the public API: what passed when expected.json was written still passes.
// All of them in Chromium; in Firefox the first of every operator and input type.

import { expect, inject, test } from 'vitest';
import { describeBrowsers } from '../support/browsers';
import { dataPath, describeWithData } from '../support/data';
import { listCases, onePerType } from './cases';
import { compareWithExpected, passes } from './expected';
import { runSuite } from './run-suite';

const timeLimit = 10 * 60_000;

describeWithData('ONNX conformance', () => {
  describeBrowsers('cases', ({ name: browser }) => {
    const run = async () => {
      const folder = dataPath('onnx-node', 'node');
      const all = await listCases(folder);
      const cases = browser === 'chromium' ? all : onePerType(all);
      const results = await runSuite(cases, { browser, folder, server: inject('server') });
      const { regressions } = compareWithExpected(browser, results);
      expect(regressions.map(({ name, verdict, detail }) => `${name}: ${verdict}, ${detail}`)).toEqual([]);
      expect(results.filter(passes).length).toBeGreaterThan(cases.length / 2);
    };
    test('still pass', run, timeLimit);
  });
});
