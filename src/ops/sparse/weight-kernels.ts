// The variants of a matrix product with unstructured sparse weights. All read entries as pack.ts has them: floats, or integers.

import type { MatMulKernel } from '../matmul/product';
import { matrixShared, matrixSlices, matrixTile } from './matrix';
import { vectorRuns } from './runs';
import { vectorBins, vectorLanes, vectorMerge, vectorSlices } from './vector';

export const sparseWeightKernels: readonly MatMulKernel[] = [
  vectorRuns,
  vectorSlices,
  vectorLanes,
  vectorBins,
  vectorMerge,
  matrixSlices,
  matrixShared,
  matrixTile,
];
