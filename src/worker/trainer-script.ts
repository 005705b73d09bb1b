// Entry of `lepton-trainer.js`, a classic script that the built-in worker imports after `lepton-compiler.js`.

import { trainingPart } from './training-part';

Object.assign(globalThis, { leptonTrainer: trainingPart });
