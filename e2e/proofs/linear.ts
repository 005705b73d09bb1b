// Linear models, each in a line: prices of houses by least squares, and forged banknotes by logistic regression and by a
// support vector machine. Measured on a fifth that is held out.

import { readFileSync } from 'node:fs';
import { linearRegression, linearSVM, logisticRegression } from '../../src/api/nn/linear';
import type { Sequential } from '../../src/api/nn/network';
import { type Dataset, fromCSV, holdOut } from '../../src/data';
import { dataPath } from '../support/data';
import type { Context, Measured, Proof } from './proof';

const claims = {
  r2: { atLeast: 0.6 },
  logisticAccuracy: { atLeast: 0.96 },
  svmAccuracy: { atLeast: 0.96 },
};

export const linear: Proof = {
  about: 'linear and logistic regression and a linear SVM on tables',
  claims: { small: claims, full: claims },
  run,
};

async function run(context: Context): Promise<Measured> {
  const houses = await parts('housing.csv', '13');
  const notes = await parts('banknote_authentication.csv', '4');
  const regression = await fitted(linearRegression({ features: 13 }), houses, 150, context);
  const logistic = await fitted(logisticRegression({ features: 4 }), notes, 20, context);
  const svm = await fitted(linearSVM({ features: 4 }), notes, 20, context);
  return {
    r2: regression.r2 as number,
    rootMeanSquaredError: regression.rootMeanSquaredError as number,
    logisticAccuracy: logistic.accuracy as number,
    svmAccuracy: svm.binaryAccuracy as number,
  };
}

interface Parts {
  readonly train: Dataset;
  readonly test: Dataset;
}

async function parts(name: string, labels: string): Promise<Parts> {
  const table = await fromCSV(readFileSync(dataPath('datasets', 'tabular', name)), { header: false, labels });
  const { train, validation } = holdOut(table.size, 0.2, { seed: 1 });
  const statistics = await table.select(train).statistics();
  const normalised = table.normalise(statistics);
  return { train: normalised.select(train), test: normalised.select(validation) };
}

async function fitted(model: Sequential, { train, test }: Parts, epochs: number, { training }: Context) {
  await training.build(model, 1);
  const batches = train.shuffle({ seed: 1 }).batch({ size: 64, dropRemainder: true });
  await model.fit(batches, { epochs });
  const results = await model.evaluate(test.batch({ size: test.size }));
  await model.dispose();
  return results;
}
