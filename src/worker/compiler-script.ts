// Entry of `lepton-compiler.js`, a classic script that the built-in worker imports.

import { compiler } from './compiler';

Object.assign(globalThis, { leptonCompiler: compiler });
