// Every operator's cases in Node on Dawn: the executor needs nothing but a GPUDevice.

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
      for (const testCase of cases) {
        it(testCase.name, async () => {
          const { failures } = await checkCase(device, op, testCase);
          expect(failures).toEqual([]);
        });
      }
    });
  }
});
