// What is a paper about? Cora: 2,708 papers, the words in each, who cites whom, and the subjects of 140 of them. The graph
// convolution network of https://arxiv.org/abs/1609.02907 learns from these 140, in the standard split, and is measured on
// 1,000 others. Words and citations stay sparse, and all papers are one batch: weights say which of them count.

import { readFileSync } from 'node:fs';
import type { Callback } from '../../src/api/nn/callbacks';
import { input } from '../../src/api/nn/layer';
import * as layers from '../../src/api/nn/layers';
import { model } from '../../src/api/nn/network';
import { gcnFilter, sparseMatrix } from '../../src/api/nn/sparse-matrix';
import { type Dataset, fromArrays } from '../../src/data';
import { readMatrixMarket } from '../sparse/matrix-files';
import { dataPath } from '../support/data';
import { type Context, type Measured, type Proof, progress } from './proof';

export const gcn: Proof = {
  about: 'a graph convolution network on Cora, sparse words and citations, the standard split',
  claims: { small: { accuracy: { atLeast: 0.7 } }, full: { accuracy: { atLeast: 0.8 } } },
  run,
};

interface Splits {
  readonly labels: readonly number[];
  readonly train: readonly number[];
  readonly val: readonly number[];
  readonly test: readonly number[];
}

const file = (name: string) => readFileSync(dataPath('datasets', 'gcn-cora', name), 'utf8');

async function run({ training, full, log }: Context): Promise<Measured> {
  const { labels, train, val, test } = JSON.parse(file('labels_splits.json')) as Splits;
  const citations = gcnFilter(matrixOf('adjacency.mtx'));
  const nodes = labels.length;

  const paper = input({ shape: [], dtype: 'int32', name: 'paper' });
  // The paper's weight decay, of which half is the penalty, is on the first layer alone.
  const decay = { name: 'l2', l2: 5e-4 / 2 } as const;
  const words = { matrix: shares('features.mtx'), dropout: 0.5, useBias: false, kernelRegularizer: decay };
  let value = layers.sparseDense({ units: 16, ...words }).apply(paper);
  value = layers.activation({ activation: 'relu' }).apply(layers.sparseMatMul({ matrix: citations }).apply(value));
  value = layers.dropout({ rate: 0.5 }).apply(value);
  const subject = layers.gcnConv({ units: 7, matrix: citations, useBias: false, activation: 'softmax' }).apply(value);
  const network = await training.build(model({ inputs: paper, outputs: subject }), 2);
  network.compile({
    optimizer: { name: 'adam', learningRate: 0.01 },
    loss: 'sparseCategoricalCrossentropy',
    metrics: ['accuracy'],
  });

  const xs = Int32Array.from(labels.keys());
  const batchOf = (counted: readonly number[]) => {
    const sampleWeight = new Float32Array(nodes);
    // So that the mean over all papers is that over these.
    for (const node of counted) sampleWeight[node] = nodes / counted.length;
    return all(fromArrays({ xs, ys: Int32Array.from(labels), sampleWeight }));
  };
  const epochs = full ? 200 : 60;
  const lines = progress(log);
  const onEpochEnd: Callback['onEpochEnd'] = (epoch, logs, trained) =>
    (epoch + 1) % 20 === 0 ? lines.onEpochEnd?.(epoch, logs, trained) : undefined;
  const began = performance.now();
  await network.fit(batchOf(train), { epochs, callbacks: [{ onEpochEnd }] });
  const millisecondsPerEpoch = (performance.now() - began) / epochs;
  const { accuracy: validationAccuracy } = await network.evaluate(batchOf(val));
  const { accuracy } = await network.evaluate(batchOf(test));
  await network.dispose();
  return { accuracy: accuracy as number, validationAccuracy: validationAccuracy as number, millisecondsPerEpoch };
}

const all = (samples: Dataset) => samples.batch({ size: samples.size });

function matrixOf(name: string) {
  const { rows, columns, ...csr } = readMatrixMarket(file(name));
  const { rowOffsets, columnIndices, values } = csr;
  return sparseMatrix({
    ...{ shape: [rows, columns], rowOffsets: rowOffsets.data, columns: columnIndices.data, values: values.data },
  });
}

/** Each row divided by its sum: words become shares of a paper's words. */
function shares(name: string) {
  const { shape, rowOffsets, columns, values } = matrixOf(name);
  const scaled = values.slice();
  for (let row = 0; row < shape[0]; row++) {
    const own = scaled.subarray(rowOffsets[row], rowOffsets[row + 1]);
    const sum = own.reduce((total, value) => total + value, 0);
    own.forEach((value, i) => {
      own[i] = value / sum;
    });
  }
  return sparseMatrix({ shape, rowOffsets, columns, values: scaled });
}
