// One loaded model on the page: from a source and a picture to an answer with its timings.
// Invariant: nothing here touches the document, so the page and `?check=1` run the same way.

import { type LoadOptions, type LoadReport, load, type Model, type Profile } from '../api';
import type { Answer } from './answer';
import { numbersOf } from './decode/numbers';
import { summarise } from './decode/summary';
import { type Feeds, makeFeeds } from './feeds';
import { nextTask } from './pace';
import { findRecipe, type Recipe } from './recipes';

export interface Session {
  readonly model: Model;
  readonly report: LoadReport;
  readonly recipe: Recipe | undefined;
  /** One run; `ms` is from the call to the outputs' arrival, decoding not included. */
  answer(bitmap: ImageBitmap, signal?: AbortSignal): Promise<{ answer: Answer; ms: number }>;
  profile(bitmap: ImageBitmap, signal: AbortSignal): Promise<Profile>;
  close(): Promise<void>;
}

export async function openSession(source: string | File, options: LoadOptions): Promise<Session> {
  const model = await load(source, options);
  const found = await findRecipe(model);
  const prepare = (bitmap: ImageBitmap) => makeFeeds(model.inputs, found?.recipe, bitmap);
  return {
    model,
    report: model.report,
    recipe: found?.recipe,
    async answer(bitmap, signal) {
      const prepared = prepare(bitmap);
      const start = performance.now();
      const outputs = await model.run(prepared.feeds, { signal });
      const ms = performance.now() - start;
      await nextTask();
      return { answer: await interpret(outputs, prepared, found, bitmap), ms };
    },
    profile: (bitmap, signal) => model.profile(prepare(bitmap).feeds, { signal }),
    close: () => model.dispose(),
  };
}

async function interpret(
  outputs: Awaited<ReturnType<Model['run']>>,
  { input, takesPicture, fed }: Feeds,
  found: Awaited<ReturnType<typeof findRecipe>>,
  bitmap: ImageBitmap,
): Promise<Answer> {
  const numbers = Object.fromEntries(Object.entries(outputs).map(([name, tensor]) => [name, numbersOf(tensor)]));
  if (found) return found.recipe.read(numbers, { bitmap, input, look: found.recipe.look, labels: found.labels });
  const tensors = [];
  for (const [name, tensor] of Object.entries(outputs)) {
    tensors.push(summarise(name, tensor.type, numbers[name]!));
    await nextTask();
  }
  return { kind: 'tensors', tensors, takesPicture, fed };
}
