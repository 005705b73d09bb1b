// The variants of a matrix product: `integer` for integers, the others for floats. All take operands of any
// size, transposed or not, and run the node's fused program on their results; which is fastest depends on the
// adapter and the sizes.

import { plainMatmul } from '../plain/matmul';
import { blockKernels } from '../sparse/blocks';
import { pairKernels } from '../sparse/blocks-pairs';
import { sparseWeightKernels } from '../sparse/weight-kernels';
import { gemv } from './gemv';
import { inner } from './inner';
import { integer } from './integer';
import type { MatMulKernel } from './product';
import { quad, row } from './quad';
import { register } from './register';
import { thin } from './thin';
import { tiled, tiledSplit } from './tiled';

export const matmulKernels: readonly MatMulKernel[] = [
  tiled,
  tiledSplit,
  register,
  quad,
  row,
  gemv,
  inner,
  thin,
  integer,
  plainMatmul,
  ...sparseWeightKernels,
  ...blockKernels,
  ...pairKernels,
];
