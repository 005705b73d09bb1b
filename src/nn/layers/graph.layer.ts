// Layers on all samples together, in the order of a sparse matrix: SparseMatMul, their product with it, and GCNConv, where they
// are the nodes of a graph and the matrix [nodes, nodes] has its edges. A batch is as many samples as the matrix has columns.
// Graph convolution: activation(matrix · input · kernel + bias), https://arxiv.org/abs/1609.02907

import { flag, whole } from '../../base/options';
import { sizeOf } from '../../base/shape';
import { activate, activationOption } from '../activations';
import { type Call, defineLayer, type Sized, type WeightSpec } from '../layer';
import { sparseMatrix, sparseProduct } from '../sparse';
import { reshaped, Tensor } from '../tensor';
import { kernelOptions } from '../weights';

/** With `trainableValues` the entries of the matrix are a weight; what it begins as comes with the layer. */
const options = { matrix: sparseMatrix, trainableValues: flag(false) };
type Layer = Sized<typeof options>;

const batch = ({ config }: Layer) => config.matrix.shape[1];

function entries(layer: Layer): WeightSpec[] {
  const { matrix, trainableValues } = layer.config;
  if (!trainableValues) return [];
  if (matrix.values.length === 0) layer.fail('has trainableValues, but its matrix no entries,');
  return [{ name: 'values', dims: [matrix.values.length], initializer: { name: 'zeros' } }];
}

/** matrix · value, along the axis of the samples. */
function product(layer: Call<typeof options>, value: string): string {
  const { b, config } = layer;
  const [rows, columns] = config.matrix.shape;
  const [samples, ...rest] = b.type(value).dims;
  if (samples !== columns) {
    layer.fail(
      `needs all ${columns} samples of its matrix as one batch: pass batchSize: ${columns}, and shuffle: false to fit()`,
    );
  }
  const dense = reshaped(b, value, [columns, sizeOf(rest)]);
  const values = config.trainableValues ? layer.weight('values') : undefined;
  return reshaped(b, sparseProduct(layer, config.matrix, dense, values), [rows, ...rest]);
}

const sparseMatMul = defineLayer({
  className: 'SparseMatMul',
  options,
  weights: entries,
  outputShape({ shape: [samples = null, ...rest], config }) {
    const [rows, columns] = config.matrix.shape;
    // Another number of samples is no batch any more: they go with no targets.
    return [rows === columns ? samples : rows, ...rest];
  },
  batch,
  call: (layer) => Tensor.plain(layer.b, product(layer, layer.input.plain())),
});

const gcnOptions = { units: whole(1), activation: activationOption('linear'), ...options, ...kernelOptions };

const gcnConv = defineLayer({
  className: 'GCNConv',
  options: gcnOptions,
  weights(layer) {
    const { units, useBias, kernelInitializer, biasInitializer, kernelRegularizer, biasRegularizer } = layer.config;
    const kernel = { name: 'kernel', dims: [layer.size(-1), units], initializer: kernelInitializer };
    const bias = { name: 'bias', dims: [units], initializer: biasInitializer, regularizer: biasRegularizer };
    return [
      { ...kernel, regularizer: kernelRegularizer },
      ...(useBias ? [bias] : []),
      ...entries(layer as unknown as Layer),
    ];
  },
  outputShape(layer) {
    layer.requireRank(2, '[nodes, features]');
    const [rows, columns] = layer.config.matrix.shape;
    if (rows !== columns) layer.fail(`needs a square matrix, of nodes by nodes, not ${rows} × ${columns},`);
    return [layer.shape[0] as number | null, layer.config.units];
  },
  batch: ({ config }) => config.matrix.shape[1],
  call(layer: Call<typeof gcnOptions>) {
    const { f, config } = layer;
    const pass = (value: string) => product(layer as unknown as Call<typeof options>, value);
    const project = (value: string) => f.node('MatMul', [value, layer.weight('kernel')]);
    const x = layer.input.plain();
    // The sparse product in whichever order has the narrower dense operand.
    const passed = config.units <= layer.size(-1) ? pass(project(x)) : project(pass(x));
    const sum = config.useBias ? f.add(passed, layer.weight('bias')) : passed;
    return activate(layer, Tensor.plain(layer.b, sum), config.activation);
  },
});

export default [sparseMatMul, gcnConv];
