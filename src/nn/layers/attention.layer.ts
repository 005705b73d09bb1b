// MultiHeadAttention: https://arxiv.org/abs/1706.03762. Applied to [query, value] or [query, value, key], each
// [batch, steps, features]; the result has the query's shape. Kernels are [features, heads, depth] for the projections and
// [heads, depth, features] for the output.

import { ndarray } from '../../base/ndarray';
import { flag, number, optional, whole } from '../../base/options';
import { type Call, defineLayer, type Sized, type WeightSpec } from '../layer';
import { permuted, reshaped, Tensor } from '../tensor';
import { kernelOptions } from '../weights';

const options = {
  numHeads: whole(1),
  keyDim: whole(1),
  valueDim: optional(whole(1)),
  dropout: number(0, [0, 1]),
  useCausalMask: flag(false),
  ...kernelOptions,
};

/** Far enough below every score that its exponential is 0. */
const masked = -1e9;

const attention = defineLayer({
  className: 'MultiHeadAttention',
  options,
  arity: [2, 3],
  weights(layer: Sized<typeof options>) {
    const { config, shapes } = layer;
    const { numHeads, keyDim, valueDim = keyDim, useBias } = config;
    if (shapes.some((shape) => shape.length !== 3)) layer.fail('needs inputs [batch, steps, features]');
    const [query, value, key = value] = shapes.map((shape) => layer.size(-1, shape)) as [number, number, number?];
    const projection = (name: string, dims: number[], biasDims: number[]): WeightSpec[] => {
      const kernel = { name: `${name}/kernel`, dims, initializer: config.kernelInitializer };
      const bias = { name: `${name}/bias`, dims: biasDims, initializer: config.biasInitializer };
      return [
        { ...kernel, regularizer: config.kernelRegularizer },
        ...(useBias ? [{ ...bias, regularizer: config.biasRegularizer }] : []),
      ];
    };
    return [
      ...projection('query', [query, numHeads, keyDim], [numHeads, keyDim]),
      ...projection('key', [key, numHeads, keyDim], [numHeads, keyDim]),
      ...projection('value', [value, numHeads, valueDim], [numHeads, valueDim]),
      ...projection('output', [numHeads, valueDim, query], [query]),
    ];
  },
  outputShape: ({ shape }) => shape,
  call(layer: Call<typeof options>) {
    const { b, f, config, inputs, training } = layer;
    const { numHeads, keyDim, valueDim = keyDim } = config;
    const [query, value, key = value] = inputs as [Tensor, Tensor, Tensor?];
    const project = (name: string, x: string, rows: number, columns: number): string => {
      const product = f.node('MatMul', [x, reshaped(b, layer.weight(`${name}/kernel`), [rows, columns])]);
      return config.useBias ? f.add(product, reshaped(b, layer.weight(`${name}/bias`), [columns])) : product;
    };
    /** [batch, steps, features] → [batch, heads, steps, depth], or the last two the other way round. */
    const heads = (name: string, x: Tensor, depth: number, perm: readonly number[]): string => {
      const [batch, steps, features] = x.dims as [number, number, number];
      const all = project(name, x.plain(), features, numHeads * depth);
      return permuted(b, reshaped(b, all, [batch, steps, numHeads, depth]), perm);
    };
    const [batch, length, features] = query.dims as [number, number, number];
    const q = f.mul(heads('query', query, keyDim, [0, 2, 1, 3]), 1 / Math.sqrt(keyDim));
    const scores = f.node('MatMul', [q, heads('key', key, keyDim, [0, 2, 3, 1])]);
    const seen = config.useCausalMask ? f.add(scores, causal(layer, length, key.dims[1] as number)) : scores;
    let shares = f.node('Softmax', [seen], { axis: -1 });
    if (training && config.dropout > 0) {
      const { seed, salt } = layer.draw();
      shares = f.node('lepton.SeededDropout', [shares, seed], { ratio: config.dropout, salt });
    }
    const mixed = f.node('MatMul', [shares, heads('value', value, valueDim, [0, 2, 1, 3])]);
    const joined = reshaped(b, permuted(b, mixed, [0, 2, 1, 3]), [batch, length, numHeads * valueDim]);
    return Tensor.plain(b, project('output', joined, numHeads * valueDim, features));
  },
});

/** [length, keys]: what is added to the scores, so that no step sees those after it. */
function causal({ b }: Call<typeof options>, length: number, keys: number): string {
  const mask = Array.from({ length: length * keys }, (_, i) => (i % keys > Math.floor(i / keys) ? masked : 0));
  return b.constant(ndarray('float32', [length, keys], mask));
}

export default attention;
