// The variants of a matrix product with unstructured sparse weights.

import type { MatMulKernel } from '../matmul/product';
import { matrixShared, matrixSlices, matrixTile } from './matrix';
import { vectorBins, vectorLanes, vectorMerge, vectorSlices } from './vector';

export const sparseWeightKernels: readonly MatMulKernel[] = [
  vectorSlices,
  vectorLanes,
  vectorBins,
  vectorMerge,
  matrixSlices,
  matrixShared,
  matrixTile,
];
