// Operators that only training has: the backward passes of others, optimisers, random numbers by seed. They join the registry
// when training is asked for, so that who only runs models does not load them.

import type { AnyOp } from '../../ir/opdef';
import { register } from '../registry';

const files = import.meta.glob<AnyOp | readonly AnyOp[]>('./*.op.ts', { eager: true, import: 'default' });

export function registerTrainingOperators(): void {
  register(files);
}
