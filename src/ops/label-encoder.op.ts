// LabelEncoder of ai.onnx.ml for numbers: each element is looked up among the keys, and the value beside the key
// taken, or the default where there is none. NaN is a key like any other.

import type { DType } from '../base/dtype';
import { type NDArray, ndarray } from '../base/ndarray';
import { type AttributesOf, float, floats, int, ints, string, strings, tensor } from '../ir/attributes';
import type { NodeView } from '../ir/node-view';
import { defineOp, type OpCase } from '../ir/opdef';
import { elementsOf } from './ml/elements-of';

const attributes = {
  keys_floats: floats(),
  keys_int64s: ints(),
  keys_strings: strings(),
  keys_tensor: tensor(),
  values_floats: floats(),
  values_int64s: ints(),
  values_strings: strings(),
  values_tensor: tensor(),
  default_float: float(0),
  default_int64: int(-1),
  default_string: string('_Unused'),
  default_tensor: tensor(),
};
type View = NodeView<AttributesOf<typeof attributes>>;

interface Table {
  readonly keys: readonly number[];
  readonly values: readonly number[];
  readonly dtype: DType;
  readonly fallback: number;
}

function tableOf(n: View): Table {
  const { attributes: a } = n;
  if (a.keys_strings || a.values_strings) {
    n.fail('encodes strings; Lepton has numbers only', 'UNSUPPORTED_MODEL');
  }
  const keys = a.keys_tensor ? elementsOf(n, 'keys_tensor', a.keys_tensor) : (a.keys_floats ?? a.keys_int64s);
  const table = (): Omit<Table, 'keys'> => {
    if (a.values_tensor) {
      const given = a.default_tensor && elementsOf(n, 'default_tensor', a.default_tensor)[0];
      const { dtype } = a.values_tensor;
      return { values: elementsOf(n, 'values_tensor', a.values_tensor), dtype, fallback: given ?? -1 };
    }
    if (a.values_floats) return { values: a.values_floats, dtype: 'float32', fallback: a.default_float };
    return { values: a.values_int64s ?? n.fail('has no values'), dtype: 'int64', fallback: a.default_int64 };
  };
  const found = { keys: keys ?? n.fail('has no keys'), ...table() };
  if (found.keys.length !== found.values.length) {
    n.fail(`has ${found.keys.length} keys, but ${found.values.length} values`);
  }
  return found;
}

export default defineOp({
  name: 'ai.onnx.ml.LabelEncoder',
  host: 'it looks labels up in a dictionary',
  attributes,
  infer: (n) => [{ dtype: tableOf(n).dtype, dims: n.input(0).dims }],
  reference(n, [x]) {
    const { data, dims } = x as NDArray;
    const { keys, values, dtype, fallback } = tableOf(n);
    // Of equal keys the first counts.
    const dictionary = new Map(keys.map((key, i) => [key, values[i] as number] as const).reverse());
    return [
      ndarray(
        dtype,
        dims,
        Array.from(data, (key) => dictionary.get(key) ?? fallback),
      ),
    ];
  },
});

export const cases: OpCase[] = [
  {
    name: 'integers to floats',
    inputs: [{ dims: [2, 3], dtype: 'int64', values: [1, 2, 3, 4, 1, 1], constant: true }],
    attributes: { keys_int64s: [1, 2, 3], values_floats: [0.5, 1.5, 2.5], default_float: -9 },
  },
  {
    name: 'floats to integers, not a number among them',
    inputs: [{ dims: [4], values: [0.5, Number.NaN, 1, -0.5], constant: true }],
    attributes: { keys_floats: [0.5, Number.NaN, -0.5], values_int64s: [5, 6, 7] },
  },
];
