// All that the benchmark measures, in the order of its table.

import type { BenchCase } from './case';
import { bandwidth, chains, convolutions, matmuls } from './kernels';
import { networks } from './networks';
import { type TrainingCase, trainings } from './training';

export type { BenchCase, TrainingCase };
export { trainings };
export const cases: readonly BenchCase[] = [...matmuls, ...convolutions, ...networks, ...chains, ...bandwidth];
