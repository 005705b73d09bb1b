// The activation functions that RNN, LSTM and GRU name in their `activations`: host function and WGSL over one
// f32 each, with the parameters they take and ONNX's defaults for them, and their slopes. None overflows to a NaN.

import { literal } from '../wgsl/elements';
import { sigmoid } from '../wgsl/special-functions';

interface Definition {
  /** Defaults of the parameters the function takes; an absent one it does not take. */
  readonly alpha?: number;
  readonly beta?: number;
  readonly host: (x: number, alpha: number, beta: number) => number;
  /** Expression of `x`; `a` and `b` are literals. */
  readonly wgsl: (a: string, b: string) => string;
  /** The derivative as the backward pass has it: of the value `y` that the function gave. */
  readonly slope: Slope;
  /** Whether the value tells the derivative. Default: always. */
  readonly tells?: (alpha: number) => boolean;
}

interface Slope {
  readonly host: (y: number, alpha: number, beta: number) => number;
  /** Expression of the f32 `y`. */
  readonly wgsl: (a: string, b: string) => string;
}

/** An activation with its parameters bound. */
export interface Activation {
  readonly host: (x: number) => number;
  /** WGSL expression of the f32 `x`. */
  readonly wgsl: string;
  /** The derivative, from the function's value; absent where several belong to one value. */
  readonly slope?: { readonly host: (y: number) => number; readonly wgsl: string };
}

const definitions: Readonly<Record<string, Definition>> = {
  relu: {
    host: (x) => Math.max(x, 0),
    wgsl: () => 'max(x, 0.0)',
    slope: { host: (y) => Number(y > 0), wgsl: () => 'select(0.0, 1.0, y > 0.0)' },
  },
  // Through exp of a negative number, since tanh overflows on some devices.
  tanh: {
    host: Math.tanh,
    wgsl: () => 'sign(x) * (2.0 / (1.0 + exp(-2.0 * min(abs(x), 20.0))) - 1.0)',
    slope: { host: (y) => 1 - y * y, wgsl: () => '1.0 - y * y' },
  },
  sigmoid: {
    host: sigmoid,
    wgsl: () => '1.0 / (1.0 + exp(-max(x, -87.0)))',
    slope: { host: (y) => y * (1 - y), wgsl: () => 'y * (1.0 - y)' },
  },
  affine: {
    alpha: 1,
    beta: 0,
    host: (x, a, b) => a * x + b,
    wgsl: (a, b) => `${a} * x + ${b}`,
    slope: { host: (_, a) => a, wgsl: (a) => a },
  },
  leakyrelu: {
    alpha: 0.01,
    host: (x, a) => (x < 0 ? a * x : x),
    wgsl: (a) => `select(x, ${a} * x, x < 0.0)`,
    slope: { host: (y, a) => (y > 0 ? 1 : a), wgsl: (a) => `select(${a}, 1.0, y > 0.0)` },
    tells: (a) => a >= 0,
  },
  thresholdedrelu: {
    alpha: 1,
    host: (x, a) => (x > a ? x : 0),
    wgsl: (a) => `select(0.0, x, x > ${a})`,
    slope: { host: (y) => Number(y !== 0), wgsl: () => 'select(0.0, 1.0, y != 0.0)' },
  },
  scaledtanh: {
    alpha: 1,
    beta: 1,
    host: (x, a, b) => a * Math.tanh(b * x),
    wgsl: (a, b) => `${a} * sign(${b} * x) * (2.0 / (1.0 + exp(-2.0 * min(abs(${b} * x), 20.0))) - 1.0)`,
    slope: { host: (y, a, b) => b * (a - (y * y) / a), wgsl: (a, b) => `${b} * (${a} - y * y / ${a})` },
    tells: (a) => a !== 0,
  },
  hardsigmoid: {
    alpha: 0.2,
    beta: 0.5,
    host: (x, a, b) => Math.min(Math.max(a * x + b, 0), 1),
    wgsl: (a, b) => `clamp(${a} * x + ${b}, 0.0, 1.0)`,
    slope: { host: (y, a) => (y > 0 && y < 1 ? a : 0), wgsl: (a) => `select(0.0, ${a}, y > 0.0 && y < 1.0)` },
  },
  elu: {
    alpha: 1,
    host: (x, a) => (x < 0 ? a * Math.expm1(x) : x),
    wgsl: (a) => `select(x, ${a} * (exp(min(x, 0.0)) - 1.0), x < 0.0)`,
    slope: { host: (y, a) => (y < 0 ? y + a : 1), wgsl: (a) => `select(1.0, y + ${a}, y < 0.0)` },
    tells: (a) => a > 0,
  },
  softsign: {
    host: (x) => x / (1 + Math.abs(x)),
    wgsl: () => 'x / (1.0 + abs(x))',
    slope: { host: (y) => (1 - Math.abs(y)) ** 2, wgsl: () => '(1.0 - abs(y)) * (1.0 - abs(y))' },
  },
  softplus: {
    host: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
    wgsl: () => 'max(x, 0.0) + log(1.0 + exp(-abs(x)))',
    slope: { host: (y) => -Math.expm1(-y), wgsl: () => '1.0 - exp(-y)' },
  },
};

/**
 * The named activations in order. Each takes the next of `alphas` and `betas` if it has such a parameter, its
 * default where the list has ended. Returns the first name that is no activation instead, where there is one.
 */
export function bindActivations(
  names: readonly string[],
  alphas: readonly number[],
  betas: readonly number[],
): readonly Activation[] | string {
  let [nextAlpha, nextBeta] = [0, 0];
  const bound: Activation[] = [];
  for (const name of names) {
    const definition = definitions[name.toLowerCase()];
    if (!definition) return name;
    const alpha = definition.alpha === undefined ? 0 : (alphas[nextAlpha++] ?? definition.alpha);
    const beta = definition.beta === undefined ? 0 : (betas[nextBeta++] ?? definition.beta);
    const [a, b] = [literal('float32', alpha), literal('float32', beta)];
    const { slope, tells } = definition;
    bound.push({
      host: (x) => definition.host(x, alpha, beta),
      wgsl: definition.wgsl(a, b),
      ...((tells?.(alpha) ?? true) && { slope: { host: (y) => slope.host(y, alpha, beta), wgsl: slope.wgsl(a, b) } }),
    });
  }
  return bound;
}
