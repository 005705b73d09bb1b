// What the pages that train share: a model under training as a case that is checked and timed as all are. A run is one step,
// until its loss has been read.

import { fetchFeed, serve } from './page';
import {
  checkedSteps,
  type Feed,
  type OpenCase,
  type Training,
  type TrainingData,
  type TrainingFiles,
  type TrainingRun,
} from './runtime';

export interface TrainingRuntime {
  start(): Promise<string>;
  train(training: Training, data: TrainingData): Promise<TrainingRun>;
}

export function serveTraining({ start, train }: TrainingRuntime): void {
  serve<TrainingFiles>({
    start,
    async open({ training, weights }, feeds) {
      const [x, y] = feeds as readonly [Feed, Feed];
      return caseOf(await train(training, { weights: await Promise.all(weights.map(fetchFeed)), x, y }));
    },
  });
}

function caseOf(run: TrainingRun): OpenCase {
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
