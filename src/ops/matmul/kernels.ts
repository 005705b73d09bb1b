// The variants of a matrix product. All take float operands of any size, transposed or not, and run the
// node's fused program on their results; which is fastest depends on the adapter and the sizes.

import { gemv } from './gemv';
import type { MatMulKernel } from './product';
import { register, registerSubgroups } from './register';
import { tiled, tiledSplit } from './tiled';

export const matmulKernels: readonly MatMulKernel[] = [tiled, tiledSplit, register, registerSubgroups, gemv];
