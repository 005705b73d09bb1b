// A model under training as the case that the page checks and times. A run is one step, until its loss has been read.

import { cannotTrain, checkedSteps, type Feed, type OpenCase, type Runtime, type Training } from './runtime';

/** @param batch x, then y @throws where the runtime cannot train */
export async function openTraining(
  { train }: Runtime,
  training: Training,
  batch: readonly Feed[],
  weights: readonly Feed[],
): Promise<OpenCase> {
  if (!train) throw new Error(cannotTrain);
  const [x, y] = batch as readonly [Feed, Feed];
  const run = await train(training, { weights, x, y });
  const losses: number[] = [];
  const step = async () => {
    losses.push(await run.step());
  };
  return {
    /** Of the first steps; asked again after others, they must have led further down. */
    async outputs() {
      while (losses.length < checkedSteps) await step();
      const [first, last] = [losses[0] as number, losses.at(-1) as number];
      if (!(last < first)) throw new Error(`the loss went from ${first} to ${last}`);
      return { losses: { dims: [checkedSteps], data: losses.slice(0, checkedSteps) } };
    },
    run: step,
    dispose: () => run.dispose(),
  };
}
