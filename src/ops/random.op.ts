// RandomUniform, RandomNormal, their Like forms, Bernoulli and Multinomial. With a seed they draw, at each run, the
// same numbers, those of NumPy's generator, at load and on the host; without one each run draws others, on the GPU.

import { type DType, isFloat } from '../base/dtype';
import { type NDArray, ndarray, scalar } from '../base/ndarray';
import { dtypeOfNumber, numberOfDType } from '../base/onnx-dtypes';
import { formatDims } from '../base/shape';
import { type AttributeSchema, type AttributesOf, float, int, required } from '../ir/attributes';
import type { NodeView, TensorType } from '../ir/node-view';
import { defineOp, type LowerBuilder, type OpCase } from '../ir/opdef';
import { generator } from './random/generator';
import { randomNumbers } from './random/lower';

/** The type that `dtype` names, or `fallback` where it is absent. */
function namedType(n: NodeView<{ readonly dtype: number | undefined }>, fallback: DType): DType {
  const { dtype } = n.attributes;
  if (dtype === undefined) return fallback;
  return dtypeOfNumber(dtype) ?? n.fail(`has the dtype ${dtype}, which Lepton lacks`, 'UNSUPPORTED_MODEL');
}

function cast(b: LowerBuilder, name: string, dtype: DType): string {
  return b.type(name).dtype === dtype ? name : (b.add('Cast', [name], { to: numberOfDType(dtype) })[0] as string);
}

interface Distribution {
  readonly kind: 'uniform' | 'normal';
  /** A drawn number is multiplied by `scale`, and `offset` added. */
  readonly scale: number;
  readonly offset: number;
}

function randomOp<S extends AttributeSchema>(
  name: string,
  attributes: S,
  typeOf: (n: NodeView<AttributesOf<S>>) => TensorType,
  distributionOf: (n: NodeView<AttributesOf<S>>) => Distribution,
  seedOf: (n: NodeView<AttributesOf<S>>) => number | undefined,
) {
  const draw = (n: NodeView<AttributesOf<S>>): NDArray => {
    const { dtype, dims } = typeOf(n);
    const { kind, scale, offset } = distributionOf(n);
    const next = generator(seedOf(n))[kind];
    const out = ndarray(dtype, dims);
    for (let i = 0; i < out.data.length; i++) out.data[i] = next() * scale + offset;
    return out;
  };
  return defineOp<S>({
    name,
    attributes,
    varies: true,
    infer: (n) => [typeOf(n)],
    reference: (n) => [draw(n)],
    lower(n, b) {
      if (seedOf(n) !== undefined) return [b.constant(draw(n))];
      const { dtype, dims } = typeOf(n);
      const { kind, scale, offset } = distributionOf(n);
      const number = (value: number) => b.constant(scalar('float32', value));
      const [scaled] = b.add('Mul', [randomNumbers(b, dims, kind), number(scale)]) as [string];
      const [moved] = b.add('Add', [scaled, number(offset)]) as [string];
      return [cast(b, moved, dtype)];
    },
  });
}

const uniformAttributes = { high: float(1), low: float(0), seed: float(), dtype: int() };
const normalAttributes = { mean: float(0), scale: float(1), seed: float(), dtype: int() };

const uniform = ({ attributes: a }: NodeView<{ high: number; low: number }>): Distribution => ({
  kind: 'uniform',
  scale: a.high - a.low,
  offset: a.low,
});
const normal = ({ attributes: a }: NodeView<{ mean: number; scale: number }>): Distribution => ({
  kind: 'normal',
  scale: a.scale,
  offset: a.mean,
});

type TypeView = NodeView<{ readonly dtype: number | undefined; readonly shape: readonly number[] }>;

function floatType(n: TypeView, fallback: DType, dims: readonly number[]): TensorType {
  const dtype = namedType(n, fallback);
  if (!isFloat(dtype)) n.fail(`draws ${dtype}; expected floats`);
  return { dtype, dims };
}

const shaped = (n: TypeView) => floatType(n, 'float32', n.attributes.shape);
const like = (n: NodeView<{ readonly dtype: number | undefined }>) => {
  const { dtype, dims } = n.input(0);
  return floatType(n as TypeView, isFloat(dtype) ? dtype : 'float32', dims);
};

type SeedView = NodeView<{ readonly seed: number | undefined }>;
const seed = (n: SeedView) => (Number.isNaN(n.attributes.seed) ? undefined : n.attributes.seed);

const bernoulli = defineOp({
  name: 'Bernoulli',
  attributes: { dtype: int(), seed: float() },
  varies: true,
  infer(n) {
    const { dtype, dims } = n.input(0);
    if (!isFloat(dtype)) n.fail('needs floats, probabilities');
    return [{ dtype: namedType(n, dtype), dims }];
  },
  reference(n, [x]) {
    const { data, dims, dtype } = x as NDArray;
    const next = generator(seed(n)).uniform;
    return [
      ndarray(
        namedType(n, dtype),
        dims,
        Array.from(data, (p) => Number(next() < p)),
      ),
    ];
  },
  lower(n, b) {
    const { dims, dtype } = n.input(0);
    const numbers = randomNumbers(b, dims, 'uniform', seed(n));
    const p = cast(b, n.node.inputs[0] as string, 'float32');
    return [cast(b, b.add('Less', [numbers, p])[0] as string, namedType(n, dtype))];
  },
});

/** Noise that, added to logarithms of probabilities, makes the largest sum a sample (Gumbel's trick). */
const gumbel = (u: number) => -Math.log(-Math.log(Math.max(u, 1e-20)));

const multinomial = defineOp({
  name: 'Multinomial',
  attributes: { dtype: int(), sample_size: int(1), seed: float() },
  varies: true,
  infer(n) {
    const { dims } = n.input(0);
    if (dims.length !== 2) n.fail(`has an input of shape ${formatDims(dims)}; expected [batch, classes]`);
    if (dims[1] === 0) n.fail('has no classes to choose from');
    const dtype = namedType(n, 'int32');
    if (dtype !== 'int32' && dtype !== 'int64') n.fail(`draws ${dtype}; expected int32 or int64`);
    return [{ dtype, dims: [dims[0] as number, n.attributes.sample_size] }];
  },
  reference(n, [x]) {
    const { data, dims } = x as NDArray;
    const [batch, classes] = dims as readonly [number, number];
    const { sample_size } = n.attributes;
    const next = generator(seed(n)).uniform;
    const out = ndarray(namedType(n, 'int32'), [batch, sample_size]);
    for (let i = 0; i < out.data.length; i++) {
      const row = Math.floor(i / sample_size) * classes;
      let best = Number.NEGATIVE_INFINITY;
      for (let c = 0; c < classes; c++) {
        const noisy = (data[row + c] as number) + gumbel(next());
        if (noisy > best) [best, out.data[i]] = [noisy, c];
      }
    }
    return [out];
  },
  lower(n, b) {
    const add = (op: string, inputs: readonly string[], attributes = {}) => b.add(op, inputs, attributes)[0] as string;
    const [batch, classes] = n.input(0).dims as readonly [number, number];
    const { sample_size } = n.attributes;
    const least = b.constant(scalar('float32', 1e-20));
    const positive = add('Max', [randomNumbers(b, [batch, sample_size, classes], 'uniform', seed(n)), least]);
    const noise = add('Neg', [add('Log', [add('Neg', [add('Log', [positive])])])]);
    const axis = b.constant(ndarray('int64', [1], [1]));
    const rows = add('Unsqueeze', [cast(b, n.node.inputs[0] as string, 'float32'), axis]);
    const best = add('ArgMax', [add('Add', [rows, noise])], { axis: 2, keepdims: 0 });
    return [cast(b, best, namedType(n, 'int32'))];
  },
});

export default [
  randomOp('RandomUniform', { ...uniformAttributes, shape: required('ints') }, shaped, uniform, seed),
  randomOp('RandomNormal', { ...normalAttributes, shape: required('ints') }, shaped, normal, seed),
  randomOp('RandomUniformLike', uniformAttributes, like, uniform, seed),
  randomOp('RandomNormalLike', normalAttributes, like, normal, seed),
  bernoulli,
  multinomial,
];

// Without a seed only what does not depend on the numbers can be compared.
const shape = [3, 43];
const image: OpCase['inputs'] = [{ dims: shape, dtype: 'int32' }];
const sure = { dims: [5], values: [0, 1, 0, 1, 1] };
export const cases: Record<string, OpCase[]> = {
  RandomUniform: [
    { name: 'seeded', inputs: [], attributes: { shape, seed: 7, low: -2, high: 3 } },
    { name: 'one value', inputs: [], attributes: { shape, low: 1.5, high: 1.5 } },
    { name: 'float16', inputs: [], attributes: { shape, seed: 7, dtype: numberOfDType('float16') } },
  ],
  RandomNormal: [
    { name: 'seeded', inputs: [], attributes: { shape, seed: 7, mean: 2, scale: 0.5 } },
    { name: 'one value', inputs: [], attributes: { shape, mean: 2, scale: 0 } },
  ],
  RandomUniformLike: [
    { name: 'seeded', inputs: image, attributes: { seed: 0 } },
    { name: 'one value', inputs: image, attributes: { low: 1, high: 1, dtype: numberOfDType('float16') } },
  ],
  RandomNormalLike: [{ name: 'seeded', inputs: image, attributes: { seed: 0 } }],
  Bernoulli: [
    { name: 'seeded', inputs: [{ dims: [129], range: [0, 1] }], attributes: { seed: 3, dtype: numberOfDType('bool') } },
    { name: 'certain', inputs: [sure] },
  ],
  Multinomial: [
    { name: 'seeded', inputs: [{ dims: [3, 5] }], attributes: { seed: 3, sample_size: 7, dtype: 7 } },
    { name: 'certain', inputs: [{ dims: [2, 3], values: [-99, 0, -99, 0, -99, -99] }], attributes: { sample_size: 3 } },
  ],
};
