// Is a tumour malignant? The Wisconsin table (569 women, 30 measures of cell nuclei), by a small network with dropout, in
// 5-fold cross-validation: every sample is judged once, by a network that has not seen it.

import { readFileSync } from 'node:fs';
import * as layers from '../../src/api/nn/layers';
import { sequential } from '../../src/api/nn/network';
import { fromCSV, kFold } from '../../src/data';
import { dataPath } from '../support/data';
import type { Context, Measured, Proof } from './proof';

const batchSize = 32;

export const breastCancer: Proof = {
  about: 'dense layers with Dropout on the Wisconsin breast cancer table, 5-fold',
  claims: {
    small: { accuracy: { atLeast: 0.94 }, recall: { atLeast: 0.9 }, f1: { atLeast: 0.92 } },
    full: { accuracy: { atLeast: 0.96 }, recall: { atLeast: 0.93 }, f1: { atLeast: 0.95 } },
  },
  run,
};

async function run({ training, full, log }: Context): Promise<Measured> {
  const file = readFileSync(dataPath('datasets', 'breast-cancer-wdbc', 'breast_cancer.csv'));
  const table = await fromCSV(file, { labels: 'outcome' });
  const outcomes: number[] = [];
  for await (const { ys } of table) outcomes.push(Number((ys as { data: ArrayLike<number> }).data[0]));

  const counts = { right: 0, truePositives: 0, falsePositives: 0, falseNegatives: 0 };
  for (const [i, fold] of kFold(table.size, 5, { seed: 1, stratify: outcomes }).entries()) {
    const statistics = await table.select(fold.train).statistics();
    const normalised = table.normalise(statistics);
    const [train, test] = [normalised.select(fold.train), normalised.select(fold.validation)];
    const model = sequential([
      layers.dense({ units: 32, activation: 'relu', inputShape: [table.features.length] }),
      layers.dropout({ rate: 0.3 }),
      layers.dense({ units: 16, activation: 'relu' }),
      layers.dropout({ rate: 0.3 }),
      layers.dense({ units: 1, activation: 'sigmoid' }),
    ]);
    await training.build(model, i);
    model.compile({
      optimizer: { name: 'adam', learningRate: 0.003 },
      loss: 'binaryCrossentropy',
      metrics: ['accuracy', 'recall', 'f1', 'confusionMatrix'],
    });
    const batches = train.shuffle({ seed: i }).batch({ size: batchSize, dropRemainder: true });
    await model.fit(batches, { epochs: full ? 40 : 12 });
    const { accuracy, recall, f1, confusionMatrix } = await model.evaluate(test.batch({ size: test.size }));
    await model.dispose();
    const [[trueNegatives, falsePositives], [falseNegatives, truePositives]] = confusionMatrix as Table;
    counts.right += trueNegatives + truePositives;
    counts.truePositives += truePositives;
    counts.falsePositives += falsePositives;
    counts.falseNegatives += falseNegatives;
    const numbers = Object.entries({ accuracy, recall, f1 }).map(([name, value]) => `${name} ${value}`);
    log(`fold ${i + 1}: ${numbers.join(', ')}`);
  }
  const { right, truePositives, falsePositives, falseNegatives } = counts;
  return {
    accuracy: right / table.size,
    precision: truePositives / (truePositives + falsePositives),
    recall: truePositives / (truePositives + falseNegatives),
    f1: (2 * truePositives) / (2 * truePositives + falsePositives + falseNegatives),
  };
}

type Table = [[number, number], [number, number]];
