// The variants of fused attention: scores are never stored. All take float operands of any size, packed or not.

import { quad } from './quad';
import { rows } from './rows';
import { split } from './split';
import type { AttentionKernel } from './text';
import { tile } from './tile';

export const attentionKernels: readonly AttentionKernel[] = [tile, split, quad, rows];
