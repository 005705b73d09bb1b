// The activations that ONNX Runtime's optimiser fuses into a convolution or product, by the name it writes:
// the operator to add, and the function on the host. Parameters come as a plain list.

import { scalar } from '../../base/ndarray';
import type { NodeView } from '../../ir/node-view';
import type { LowerBuilder } from '../../ir/opdef';
import { sigmoid } from '../wgsl/special-functions';

interface Form {
  /** Attributes that take the parameters, in order, with their defaults. Clip takes them as inputs. */
  readonly parameters: Readonly<Record<string, number>>;
  readonly host: (x: number, p: number, q: number) => number;
}

const clamp01 = (x: number) => Math.min(Math.max(x, 0), 1);
const unbounded = { min: -3.4028234663852886e38, max: 3.4028234663852886e38 };

const forms: Readonly<Record<string, Form>> = {
  Relu: { parameters: {}, host: (x) => Math.max(x, 0) },
  Tanh: { parameters: {}, host: Math.tanh },
  Sigmoid: { parameters: {}, host: sigmoid },
  HardSwish: { parameters: {}, host: (x) => x * clamp01(x / 6 + 0.5) },
  LeakyRelu: { parameters: { alpha: 0.01 }, host: (x, alpha) => (x < 0 ? alpha * x : x) },
  Elu: { parameters: { alpha: 1 }, host: (x, alpha) => (x < 0 ? alpha * Math.expm1(x) : x) },
  HardSigmoid: { parameters: { alpha: 0.2, beta: 0.5 }, host: (x, alpha, beta) => clamp01(alpha * x + beta) },
  Clip: { parameters: unbounded, host: (x, min, max) => Math.min(Math.max(x, min), max) },
};

export interface FusedActivation {
  readonly host: (x: number) => number;
  /** Adds the operator; returns the names of its outputs. */
  add(x: readonly string[], b: LowerBuilder): string[];
}

/** The activation called `name`, or none where it is empty. Throws INVALID_MODEL where it is not known. */
export function fusedActivation(n: NodeView, name: string, given: readonly number[]): FusedActivation {
  if (name === '') return { host: (x) => x, add: (x) => [...x] };
  const form = forms[name] ?? n.fail(`has the activation "${name}"; expected one of ${Object.keys(forms).join(', ')}`);
  const parameters = Object.entries(form.parameters).map(([key, value], i) => [key, given[i] ?? value] as const);
  const [p = 0, q = 0] = parameters.map(([, value]) => value);
  return {
    host: (x) => form.host(x, p, q),
    add(x, b) {
      if (name !== 'Clip') return b.add(name, x, Object.fromEntries(parameters));
      const { dtype } = b.type(x[0] as string);
      return b.add('Clip', [...x, b.constant(scalar(dtype, p)), b.constant(scalar(dtype, q))]);
    },
  };
}
