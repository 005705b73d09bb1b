// The page's side of the tests of staged models.

import { checkLengths, checkStaged } from './check';

export const staged = (name: string) => checkStaged(navigator.gpu, name);
export const lengths = (list: readonly number[]) => checkLengths(navigator.gpu, list);
