// Cora (2,708 papers, the words in each, who cites whom, and what they are about), and the graph convolution network of
// https://arxiv.org/abs/1609.02907 that learns it, in Keras's terms: the public API alone, in Node as in a page.

import { type CompileOptions, data, gcnFilter, input, layers, model, sparseMatrix } from '../../src/api/training';
import { readMatrixMarket } from '../sparse/matrix-files';

/** Texts of the files. */
export interface CoraFiles {
  readonly adjacency: string;
  readonly features: string;
  readonly splits: string;
}

export type Cora = ReturnType<typeof coraOf>;

interface Splits {
  readonly labels: readonly number[];
  readonly train: readonly number[];
  readonly val: readonly number[];
  readonly test: readonly number[];
}

export const coraCompile = {
  optimizer: { name: 'adam', learningRate: 0.01 },
  loss: 'sparseCategoricalCrossentropy',
  metrics: ['accuracy'],
} as const satisfies CompileOptions;

export function coraOf({ adjacency, features, splits }: CoraFiles) {
  return {
    ...(JSON.parse(splits) as Splits),
    citations: gcnFilter(matrixOf(adjacency)),
    words: shares(matrixOf(features)),
  };
}

export function coraNetwork({ citations, words }: Cora) {
  const paper = input({ shape: [], dtype: 'int32', name: 'paper' });
  // The paper's weight decay, of which half is the penalty, is on the first layer alone.
  const decay = { name: 'l2', l2: 5e-4 / 2 } as const;
  const first = { matrix: words, dropout: 0.5, useBias: false, kernelRegularizer: decay };
  let value = layers.sparseDense({ units: 16, ...first }).apply(paper);
  value = layers.activation({ activation: 'relu' }).apply(layers.sparseMatMul({ matrix: citations }).apply(value));
  value = layers.dropout({ rate: 0.5 }).apply(value);
  const subject = layers.gcnConv({ units: 7, matrix: citations, useBias: false, activation: 'softmax' }).apply(value);
  return model({ inputs: paper, outputs: subject });
}

/** All papers as one batch, of which these count. */
export function coraBatch({ labels }: Cora, counted: readonly number[]) {
  const sampleWeight = new Float32Array(labels.length);
  // So that the mean over all papers is that over these.
  for (const paper of counted) sampleWeight[paper] = labels.length / counted.length;
  const xs = Int32Array.from(labels.keys());
  return data.fromArrays({ xs, ys: Int32Array.from(labels), sampleWeight }).batch({ size: labels.length });
}

function matrixOf(text: string) {
  const { rows, columns, ...csr } = readMatrixMarket(text);
  const { rowOffsets, columnIndices, values } = csr;
  return sparseMatrix({
    ...{ shape: [rows, columns], rowOffsets: rowOffsets.data, columns: columnIndices.data, values: values.data },
  });
}

/** Each row divided by its sum: words become shares of a paper's words. */
function shares({ shape, rowOffsets, columns, values }: ReturnType<typeof matrixOf>) {
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
