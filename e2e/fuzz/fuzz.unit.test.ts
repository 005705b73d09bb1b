// Damaged models: each ends in success or a LeptonError, within two seconds and in bounded memory. A failure
// names its seed and model: the same damage is done to it every time.

import { expect, test } from 'vitest';
import { dataPath, describeWithData } from '../support/data';
import { describeDawn } from '../support/dawn';
import { fuzz } from './fuzz';

const timeLimit = 240_000;

describeWithData('damaged models', () => {
  test(
    'end in an answer or a LeptonError, read, planned and run on the host',
    async () => {
      const { failures, outcomes } = await fuzz({ folder: dataPath(), run: 'host', from: 0, to: 5200 });
      expect(failures).toEqual([]);
      // The damage is neither so slight that nothing fails nor so great that nothing runs.
      for (const outcome of ['ran', 'planned', 'INVALID_MODEL', 'UNSUPPORTED_MODEL']) {
        expect(outcomes.get(outcome) ?? 0, outcome).toBeGreaterThan(30);
      }
    },
    timeLimit,
  );

  describeDawn('on a GPU', () => {
    test(
      'end in an answer or a LeptonError',
      async () => {
        const { failures, outcomes } = await fuzz({ folder: dataPath(), run: 'gpu', from: 10_000, to: 10_120 });
        expect(failures).toEqual([]);
        expect(outcomes.get('ran') ?? 0).toBeGreaterThan(20);
      },
      timeLimit,
    );
  });
});
