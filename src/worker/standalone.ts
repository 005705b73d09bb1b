// Entry of `worker.js`: the worker with the compiler in it, one file that needs no other.

import { compiler } from './compiler';
import { serve } from './serve';
import { trainingPart } from './training-part';

serve(
  async () => compiler,
  async () => trainingPart,
);
