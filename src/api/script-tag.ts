// The script-tag entry: everything the package exports, as `globalThis.lepton`.

import { foundAt } from './compiler-url';
import * as lepton from './index';

// Only now, while the script runs, does the page say where it came from.
const { currentScript } = document;
if (currentScript instanceof HTMLScriptElement) foundAt(currentScript.src);

Object.assign(globalThis, { lepton });
