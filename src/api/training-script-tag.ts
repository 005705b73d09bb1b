// The script-tag entry for training: adds what it exports to `globalThis.lepton`, which lepton.js has made.

import * as training from './training';

declare const lepton: object;

Object.assign(lepton, training);
