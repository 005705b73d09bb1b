// All that a page can ask of the worker.

import type { CompressApi } from './compress-protocol';
import type { ModelApi } from './protocol';
import type { TrainingApi } from './training-protocol';

export interface WorkerApi extends ModelApi, TrainingApi, CompressApi {}
