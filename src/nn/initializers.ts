// The first contents of weights, drawn on the host from a seed: the same model and seed give the same weights everywhere.
// Glorot: https://proceedings.mlr.press/v9/glorot10a.html; He: https://arxiv.org/abs/1502.01852; LeCun: "Efficient BackProp";
// orthogonal: https://arxiv.org/abs/1312.6120

import { invalid, number, type Options, readOptions } from '../base/options';
import { sizeOf } from '../base/shape';
import { type Generator, generator } from '../ops/random/generator';
import type { Named, WeightInfo } from './types';

type Fill = (data: Float32Array, dims: readonly number[], random: Generator, config: Record<string, number>) => void;

interface Initializer {
  readonly options: Options;
  readonly fill: Fill;
}

const fillBy =
  (draw: (random: Generator, config: Record<string, number>) => number): Fill =>
  (data, _dims, random, config) => {
    for (let i = 0; i < data.length; i++) data[i] = draw(random, config);
  };

/** A normal number, drawn again where it is beyond two standard deviations. */
function truncated(random: Generator): number {
  for (;;) {
    const value = random.normal();
    if (Math.abs(value) <= 2) return value;
  }
}

/** Kernels are [window…, in, out]. */
function fans(dims: readonly number[]): { in: number; out: number } {
  if (dims.length < 2) return { in: dims[0] ?? 1, out: dims[0] ?? 1 };
  const window = sizeOf(dims.slice(0, -2));
  return { in: window * (dims.at(-2) as number), out: window * (dims.at(-1) as number) };
}

/** Variance `scale` over the fan, as Keras's VarianceScaling. */
function scaled(scale: number, mode: 'in' | 'average', distribution: 'uniform' | 'normal'): Initializer {
  const fill: Fill = (data, dims, random) => {
    const fan = fans(dims);
    const variance = scale / Math.max(1, mode === 'in' ? fan.in : (fan.in + fan.out) / 2);
    const limit = Math.sqrt(3 * variance);
    // The standard deviation of a normal number cut off at two of its own.
    const deviation = Math.sqrt(variance) / 0.87962566103423978;
    const draw =
      distribution === 'uniform' ? () => (2 * random.uniform() - 1) * limit : () => truncated(random) * deviation;
    for (let i = 0; i < data.length; i++) data[i] = draw();
  };
  return { options: {}, fill };
}

const orthogonal: Fill = (data, dims, random, { gain = 1 }) => {
  const columns = dims.at(-1) ?? 1;
  const rows = data.length / Math.max(1, columns);
  const [count, length] = [Math.min(rows, columns), Math.max(rows, columns)];
  // Gram and Schmidt, twice each: `count` vectors of unit length at right angles.
  const basis: Float64Array[] = [];
  for (let i = 0; i < count; i++) {
    const vector = Float64Array.from({ length }, () => random.normal());
    for (const other of [...basis, ...basis]) {
      const along = vector.reduce((sum, v, k) => sum + v * (other[k] as number), 0);
      for (let k = 0; k < length; k++) vector[k] = (vector[k] as number) - along * (other[k] as number);
    }
    const norm = Math.sqrt(vector.reduce((sum, v) => sum + v * v, 0));
    basis.push(vector.map((v) => v / norm));
  }
  const transposed = rows < columns;
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) {
      const value = transposed ? basis[r]?.[c] : basis[c]?.[r];
      data[r * columns + c] = gain * (value as number);
    }
  }
};

const initializers: Readonly<Record<string, Initializer>> = {
  zeros: { options: {}, fill: () => {} },
  ones: { options: {}, fill: (data) => data.fill(1) },
  constant: { options: { value: number(0) }, fill: (data, _d, _r, { value = 0 }) => data.fill(value) },
  randomNormal: {
    options: { mean: number(0), stddev: number(0.05, [0, Infinity]) },
    fill: fillBy((random, { mean = 0, stddev = 0 }) => mean + stddev * random.normal()),
  },
  truncatedNormal: {
    options: { mean: number(0), stddev: number(0.05, [0, Infinity]) },
    fill: fillBy((random, { mean = 0, stddev = 0 }) => mean + stddev * truncated(random)),
  },
  randomUniform: {
    options: { minval: number(-0.05), maxval: number(0.05) },
    fill: fillBy((random, { minval = 0, maxval = 0 }) => minval + (maxval - minval) * random.uniform()),
  },
  glorotUniform: scaled(1, 'average', 'uniform'),
  glorotNormal: scaled(1, 'average', 'normal'),
  heUniform: scaled(2, 'in', 'uniform'),
  heNormal: scaled(2, 'in', 'normal'),
  lecunUniform: scaled(1, 'in', 'uniform'),
  lecunNormal: scaled(1, 'in', 'normal'),
  orthogonal: { options: { gain: number(1) }, fill: orthogonal },
  // A bias of an LSTM, whose gates stand in the order input, forget, cell, output: ones for the forget gate.
  unitForget: { options: {}, fill: (data) => data.fill(1, data.length / 4, data.length / 2) },
  identity: {
    options: { gain: number(1) },
    fill(data, dims, _random, { gain = 1 }) {
      if (dims.length !== 2)
        invalid(`The initialiser "identity" is for matrices, not for weights [${dims.join(', ')}].`);
      const columns = dims[1] as number;
      for (let i = 0; i < Math.min(dims[0] as number, columns); i++) data[i * columns + i] = gain;
    },
  },
};

export const initializerOptions: Readonly<Record<string, Options>> = Object.fromEntries(
  Object.entries(initializers).map(([name, { options }]) => [name, options]),
);

/** The first contents of a weight. Equal infos and seeds give equal numbers; every weight of a model gets its own. */
export function initialise({ name, dims, initializer }: WeightInfo, seed: number): Float32Array {
  const data = new Float32Array(sizeOf(dims));
  const { options, fill } = known(initializer);
  const config = readOptions(`Initialiser "${initializer.name}"`, options, initializer.config);
  fill(data, dims, generator(seedOf(name, seed)), config);
  return data;
}

function known({ name }: Named): Initializer {
  const found = Object.hasOwn(initializers, name) ? initializers[name] : undefined;
  return found ?? invalid(`There is no initialiser "${name}"; there are ${Object.keys(initializers).join(', ')}.`);
}

/** FNV-1a of the name, mixed with the seed: http://www.isthe.com/chongo/tech/comp/fnv/ */
function seedOf(name: string, seed: number): number {
  let hash = 0x811c9dc5 ^ Math.trunc(seed);
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
