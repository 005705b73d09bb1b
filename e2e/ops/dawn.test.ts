// Operators in Node on Dawn: the executor needs nothing but a GPUDevice. One case of each by default, since the
// browsers run them all; LEPTON_CASES=all runs every one here, which is the quickest way while writing an operator.

import { beforeAll, describe, expect, it } from 'vitest';
import { type Device, openDevice } from '../../src/gpu/device';
import { describeDawn } from '../support/dawn';
import { casesOf } from './cases';
import { checkCase } from './harness';

describeDawn('operators in Node', (dawn) => {
  let device: Device;
  beforeAll(async () => {
    device = await openDevice(dawn.gpu);
  });
  for (const [op, cases] of casesOf) {
    describe(op, () => {
      for (const testCase of process.env.LEPTON_CASES === 'all' ? cases : cases.slice(0, 1)) {
        it(testCase.name, async () => {
          const { failures } = await checkCase(device, op, testCase);
          expect(failures).toEqual([]);
        });
      }
    });
  }
});
