// All that the benchmark measures, in the order of its table.

import type { BenchCase } from './case';
import { bandwidth, chains, convolutions, matmuls } from './kernels';
import { networks } from './networks';

export type { BenchCase };
export const cases: readonly BenchCase[] = [...matmuls, ...convolutions, ...networks, ...chains, ...bandwidth];
