// The proofs, by the names that the command line has for them.

import { breastCancer } from './breast-cancer';
import { compressed } from './compressed';
import { forecast } from './forecast';
import { gcn } from './gcn';
import { linear } from './linear';
import { cnn, mlp } from './mnist';
import { photographs } from './photographs';
import type { Proof } from './proof';

export const proofs: Readonly<Record<string, Proof>> = {
  mlp,
  cnn,
  'breast-cancer': breastCancer,
  photographs,
  forecast,
  linear,
  gcn,
  compressed,
};
