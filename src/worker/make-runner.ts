// A plan of training made real on a device.

import { Executable } from '../gpu/executable';
import { Runner } from '../gpu/runner';
import type { MakeRunner } from './step-plans';

export const makeRunner: MakeRunner = async ({ device }, plan, variables) => {
  const noFiles = () => {
    throw new Error('A plan of training reads no files.');
  };
  return new Runner(await Executable.create(device, plan, noFiles, { variables }));
};
