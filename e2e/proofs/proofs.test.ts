// The proofs at their small size; `npm run proofs -- NAME --full` runs them at their whole one.

import { expect, it } from 'vitest';
import { describeWithData } from '../support/data';
import { describeDawn } from '../support/dawn';
import { findBrowser } from '../support/find-browser';
import { NodeTraining } from './in-node';
import { proofs } from './list';
import { broken } from './proof';

/** Photographs are decoded by a browser. */
const hasBrowser = findBrowser('chromium') !== undefined || process.env.CI !== undefined;

describeWithData('proofs on real data', () => {
  describeDawn('in Node', (dawn) => {
    for (const [name, { about, claims, run }] of Object.entries(proofs)) {
      it.skipIf(name === 'photographs' && !hasBrowser)(`${name}: ${about}`, async () => {
        const measured = await run({ training: new NodeTraining(dawn.gpu), full: false, log: () => {} });
        expect(broken(claims.small, measured)).toEqual([]);
      });
    }
  });
});
