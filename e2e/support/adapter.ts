// An adapter for tests that plan and run nothing: what every WebGPU device has, and no more.

import { type AdapterProfile, defaultLimits } from '../../src/base/adapter';

export function plainAdapter(own: Partial<AdapterProfile> = {}): AdapterProfile {
  return {
    ...{ vendor: '', architecture: '', description: '', features: [], limits: defaultLimits, software: false },
    ...own,
  };
}
