// Losses as nodes, as Keras 3 defines them: one number a sample, the mean over whatever else the output has.
// Huber: https://en.wikipedia.org/wiki/Huber_loss; label smoothing: https://arxiv.org/abs/1512.00567

import { type lossOptions, readNamed } from '../base/compile-options';
import { int64s, ndarray } from '../base/ndarray';
import { invalid } from '../base/options';
import { sameDims, sizeOf } from '../base/shape';
import type { LowerBuilder } from '../ir/opdef';
import { Formula } from '../ops/gradient';
import { type Logits, reshaped } from './tensor';
import type { Named } from './types';

/** Probabilities are kept this far from 0 and 1 before their logarithm is taken. */
const least = 1e-7;

interface Terms {
  readonly f: Formula;
  /** float32, of the shape of `x`; of sparse labels int32, without the last axis. */
  readonly y: string;
  /** What the model gave. */
  readonly x: string;
  readonly config: Record<string, number | boolean>;
  readonly logits: Logits | undefined;
}

interface Loss {
  /** The labels are numbers of classes, along the last axis of the output. */
  readonly sparse?: boolean;
  /** For each element, or (`classes`) for each row along the last axis. */
  readonly terms: (t: Terms) => string;
  readonly classes?: boolean;
}

const mean = (f: Formula, value: string) => overLast(f, 'ReduceMean', value);
const sum = (f: Formula, value: string) => overLast(f, 'ReduceSum', value);
function overLast(f: Formula, op: string, value: string): string {
  return f.node(op, [value, f.b.constant(int64s([-1]))], { keepdims: 0 });
}

const abs = (f: Formula, x: string) => f.of('Abs', x);
const square = (f: Formula, x: string) => f.mul(x, x);
const log = (f: Formula, x: string) => f.of('Log', x);
const clipped = (f: Formula, x: string, high: number) => f.of('Clip', x, least, high);
const positive = (f: Formula, x: string) => f.of('Relu', x);

/** What a loss from probabilities can be computed from, if that is at hand. */
function logitsOf({ x, config, logits }: Terms, activation: Logits['activation']): string | undefined {
  if (config.fromLogits) return x;
  return logits?.activation === activation ? logits.value : undefined;
}

/** Logarithms of the classes' probabilities. */
function logProbabilities(t: Terms): string {
  const { f, x } = t;
  const logits = logitsOf(t, 'softmax');
  if (logits !== undefined) return f.node('LogSoftmax', [logits], { axis: -1 });
  const total = f.node('ReduceSum', [x, f.b.constant(int64s([-1]))], { keepdims: 1 });
  return log(f, clipped(f, f.div(x, total), 1 - least));
}

/** Hinges want -1 and 1, and are given 0 and 1 as well: which of them is for the data to say, batch by batch. */
function signs(f: Formula, y: string): string {
  const negative = f.node('ReduceMin', [reshaped(f.b, y, [sizeOf(f.b.type(y).dims)])], { keepdims: 0 });
  return f.of('Where', f.of('Less', negative, 0), y, f.sub(f.mul(y, 2), 1));
}

const margin = ({ f, x, y }: Terms) => positive(f, f.sub(1, f.mul(signs(f, y), x)));

const losses: Readonly<Record<keyof typeof lossOptions, Loss>> = {
  meanSquaredError: { terms: ({ f, x, y }) => square(f, f.sub(x, y)) },
  meanAbsoluteError: { terms: ({ f, x, y }) => abs(f, f.sub(x, y)) },
  meanAbsolutePercentageError: {
    terms: ({ f, x, y }) => f.mul(abs(f, f.div(f.sub(y, x), f.of('Max', abs(f, y), least))), 100),
  },
  meanSquaredLogarithmicError: {
    terms({ f, x, y }) {
      const logOf = (v: string) => log(f, f.add(f.of('Max', v, least), 1));
      return square(f, f.sub(logOf(x), logOf(y)));
    },
  },
  huber: {
    terms({ f, x, y, config }) {
      const delta = config.delta as number;
      const error = abs(f, f.sub(x, y));
      // Below delta half the square, beyond it the line that goes on from there: with c = min(error, delta).
      const near = f.of('Min', error, delta);
      return f.mul(near, f.sub(error, f.mul(near, 0.5)));
    },
  },
  logCosh: {
    // log(cosh(e)) = e + log(1 + exp(-2e)) - log(2)
    terms({ f, x, y }) {
      const error = f.sub(x, y);
      return f.sub(f.add(error, f.of('Softplus', f.mul(error, -2))), Math.LN2);
    },
  },
  binaryCrossentropy: {
    terms(t) {
      const { f, x, config } = t;
      const smoothing = config.labelSmoothing as number;
      const y = smoothing > 0 ? f.add(f.mul(t.y, 1 - smoothing), smoothing / 2) : t.y;
      const logits = logitsOf(t, 'sigmoid');
      if (logits !== undefined) return f.sub(f.of('Softplus', logits), f.mul(y, logits));
      const p = clipped(f, x, 1 - least);
      const both = f.add(f.mul(y, log(f, p)), f.mul(f.sub(1, y), log(f, f.sub(1, p))));
      return f.neg(both);
    },
  },
  categoricalCrossentropy: {
    classes: true,
    terms(t) {
      const { f, config } = t;
      const smoothing = config.labelSmoothing as number;
      const classes = f.b.type(t.x).dims.at(-1) as number;
      const y = smoothing > 0 ? f.add(f.mul(t.y, 1 - smoothing), smoothing / classes) : t.y;
      return f.neg(sum(f, f.mul(y, logProbabilities(t))));
    },
  },
  sparseCategoricalCrossentropy: {
    sparse: true,
    classes: true,
    terms: (t) => t.f.neg(sum(t.f, t.f.keep(isClass(t.f, t.y, t.x), logProbabilities(t)))),
  },
  hinge: { terms: margin },
  squaredHinge: { terms: (t) => square(t.f, margin(t)) },
  categoricalHinge: {
    classes: true,
    terms({ f, x, y }) {
      const right = sum(f, f.mul(y, x));
      const wrong = f.node('ReduceMax', [f.mul(f.sub(1, y), x), f.b.constant(int64s([-1]))], { keepdims: 0 });
      return positive(f, f.add(f.sub(wrong, right), 1));
    },
  },
  kullbackLeiblerDivergence: {
    classes: true,
    terms({ f, x, y }) {
      const [p, q] = [clipped(f, y, 1), clipped(f, x, 1)];
      return sum(f, f.mul(p, log(f, f.div(p, q))));
    },
  },
  poisson: { terms: ({ f, x, y }) => f.sub(x, f.mul(y, log(f, f.add(x, least)))) },
  cosineSimilarity: {
    classes: true,
    terms({ f, x, y }) {
      const norm = (v: string) => f.of('Sqrt', f.of('Max', sum(f, square(f, v)), 1e-12));
      return f.neg(f.div(sum(f, f.mul(x, y)), f.mul(norm(x), norm(y))));
    },
  },
};

/**
 * @param yTrue float32 or int32
 * @param logits of the output, as `forward` gives them: a crossentropy is then computed from them
 * @returns float32[batch]
 * @throws INVALID_ARGUMENT where there is no such loss, or the labels do not have the shape that it needs
 */
export function lossOf(named: Named, b: LowerBuilder, yTrue: string, yPred: string, logits?: Logits): string {
  const { name } = named;
  const config = readNamed('loss', named);
  const loss = losses[name as keyof typeof lossOptions];
  const f = new Formula(b, 'float32');
  const y = loss.sparse ? classLabels(f, yTrue, yPred, name) : floatLabels(f, yTrue, yPred, name);
  return meanOfSamples(f, loss.terms({ f, y, x: yPred, config, logits }));
}

/** The mean over all axes but the first. */
export function meanOfSamples(f: Formula, value: string): string {
  const [batch = 1, ...rest] = f.b.type(value).dims;
  if (rest.length === 0) return value;
  const rows = reshaped(f.b, value, [batch, sizeOf(rest)]);
  return sizeOf(rest) === 1 ? reshaped(f.b, rows, [batch]) : mean(f, rows);
}

/** Labels as float32 of the shape of the output; an axis of size 1 at the end may be missing, or be there for none. */
export function floatLabels(f: Formula, yTrue: string, yPred: string, owner: string): string {
  const { dtype, dims } = f.b.type(yTrue);
  const wanted = f.b.type(yPred).dims;
  const same = sameDims(dims, wanted) || sameDims([...dims, 1], wanted) || sameDims(dims, [...wanted, 1]);
  if (!same) {
    invalid(
      `"${owner}" needs labels of the shape of the output, [${wanted.join(', ')}], but got [${dims.join(', ')}].`,
      {
        labels: dims,
        output: wanted,
      },
    );
  }
  const shaped = reshaped(f.b, yTrue, wanted);
  return dtype === 'float32' ? shaped : f.node('Cast', [shaped], { to: 1 });
}

/** Labels as int32 numbers of classes: the shape of the output without its last axis. */
export function classLabels(f: Formula, yTrue: string, yPred: string, owner: string): string {
  const { dtype, dims } = f.b.type(yTrue);
  const wanted = f.b.type(yPred).dims.slice(0, -1);
  if (!sameDims(dims, wanted) && !sameDims(dims, [...wanted, 1])) {
    invalid(
      `"${owner}" needs labels [${wanted.join(', ')}], a number of a class each, but got [${dims.join(', ')}]` +
        `${sameDims(dims, f.b.type(yPred).dims) ? ': one-hot labels go with categoricalCrossentropy' : ''}.`,
      { labels: dims, output: f.b.type(yPred).dims },
    );
  }
  const shaped = reshaped(f.b, yTrue, wanted);
  return dtype === 'int32' ? shaped : f.node('Cast', [shaped], { to: 6 });
}

/** Of the shape of `x`: whether the element is that of the row's class. */
export function isClass(f: Formula, classes: string, x: string): string {
  const { dims } = f.b.type(x);
  const count = dims.at(-1) as number;
  const column = reshaped(f.b, classes, [...f.b.type(classes).dims, 1]);
  const all = f.b.constant(
    ndarray(
      'int32',
      [count],
      Array.from({ length: count }, (_, i) => i),
    ),
  );
  return f.node('Equal', [column, all]);
}
