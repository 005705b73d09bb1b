// Entry of the worker that the library carries inside it; it fetches the compiler when a model is loaded.

import { fetchCompiler, fetchTrainer } from './fetch-compiler';
import { serve } from './serve';

serve(fetchCompiler, fetchTrainer);
