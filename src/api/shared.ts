// What `lepton-training` takes from `lepton`, so that both speak to one worker and know each other's tensors. In bundles
// this module is in the latter only.

import { compilerUrl } from './compiler-url';
import { modelFilesOf } from './model-source';
import { Tensor } from './tensor';
import { defaultClient } from './worker-client';

/** @internal */
export const shared = { compilerUrl, defaultClient, modelFilesOf, Tensor };
