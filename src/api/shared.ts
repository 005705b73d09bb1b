// What `lepton-training` takes from `lepton`, so that both speak to one worker and know each other's tensors: Comlink, too,
// knows what is to be moved by lists of its own. In bundles this module is in the latter only.

import { proxy, transfer } from 'comlink';
import { besideScript, compilerUrl } from './compiler-url';
import { modelFilesOf } from './model-source';
import { Tensor } from './tensor';
import { defaultClient } from './worker-client';

/** @internal */
export const shared = { besideScript, compilerUrl, defaultClient, modelFilesOf, proxy, Tensor, transfer };
