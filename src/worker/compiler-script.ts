// Entry of `lepton-compiler.js`, a classic script that the built-in worker imports. What `lepton-trainer.js` needs of it is
// in `modules`, by the names that vite.config.ts has for them.

import * as registry from '../ops/registry';
import * as makePlan from '../plan/make-plan';
import * as deadCode from '../transform/dead-code';
import * as lower from '../transform/lower';
import * as optimise from '../transform/optimise';
import * as setPrecision from '../transform/set-precision';
import * as specialise from '../transform/specialise';
import { compiler } from './compiler';

const modules = { registry, makePlan, deadCode, lower, optimise, setPrecision, specialise };

Object.assign(globalThis, { leptonCompiler: { ...compiler, modules } });
