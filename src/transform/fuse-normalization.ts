// Normalisation written out, as exporters for older opsets do, becomes one operator again:
//   (x - mean) / sqrt(variance + epsilon), where the means are taken over the last axis or over all but the first two,
//   is LayerNormalization or InstanceNormalization; without the mean it is RMSNormalization. A scale and a shift behind
//   it, which the operator can take along, go into it.

import { isFloat } from '../base/dtype';
import { ndarray } from '../base/ndarray';
import { sameDims, sizeOf } from '../base/shape';
import type { Graph, Node } from '../ir/graph';
import { inShape, sourceOf } from './compose-views';
import { type Rule, rewrite, type Surroundings } from './rewrite';

export function fuseNormalization(graph: Graph): Graph {
  // Scales and shifts come behind what they follow, so one pass suffices for all.
  return rewrite(graph, { Div: quotient, Mul: scale, Add: shift });
}

/** A writer's operator and inputs, where it is `op`. */
function inputsOf(op: string, name: string, around: Surroundings): readonly [string, string] | undefined {
  const node = around.writer(name);
  return node?.op === op ? (node.inputs as [string, string]) : undefined;
}

const quotient: Rule = (node, around) => {
  const [dividend, divisor] = node.inputs as [string, string];
  return normalized(dividend, inputsOf('Sqrt', divisor, around)?.[0], around);
};

const reciprocal = (node: Node, around: Surroundings): string | undefined => {
  for (const [factor, other] of bothWays(node)) {
    const root = inputsOf('Reciprocal', other, around)?.[0];
    const found = root && normalized(factor, inputsOf('Sqrt', root, around)?.[0], around);
    if (found) return found;
  }
  return undefined;
};

/** The normalised value, where `radicand` is the mean square of `deviation` and a small number. */
function normalized(deviation: string, radicand: string | undefined, around: Surroundings): string | undefined {
  const sum = radicand === undefined ? undefined : around.writer(radicand);
  if (sum?.op !== 'Add') return undefined;
  for (const [variance, small] of bothWays(sum)) {
    const epsilon = around.scalar(small);
    const square = epsilon === undefined ? undefined : meanOf(variance, around);
    if (!square || !isSquare(square.of, deviation, around)) continue;
    const difference = inputsOf('Sub', deviation, around);
    const mean = difference && meanOf(difference[1], around);
    const centred = mean !== undefined && mean.of === sourceOf(difference?.[0] as string, around);
    const x = centred ? (difference?.[0] as string) : deviation;
    const means = centred ? [mean, square] : [square];
    const axis = firstAxis(around.type(x).dims, means);
    if (axis !== undefined) return normalization(x, axis, centred, epsilon as number, around);
  }
  return undefined;
}

/** @param axis first of the axes that make a row */
function normalization(x: string, axis: number, centred: boolean, epsilon: number, around: Surroundings) {
  const { dtype, dims } = around.type(x);
  if (!isFloat(dtype)) return undefined;
  const filled = (shape: readonly number[], value: number) =>
    around.constant(ndarray(dtype, shape, new Array<number>(sizeOf(shape)).fill(value)));
  if (centred && axis === 2 && dims.length > 3) {
    const channels = [dims[1] as number];
    return around.add('InstanceNormalization', [x, filled(channels, 1), filled(channels, 0)], { epsilon });
  }
  const op = centred ? 'LayerNormalization' : 'RMSNormalization';
  return around.add(op, [x, filled(dims.slice(axis), 1)], { axis, epsilon });
}

interface Mean {
  /** The value whose bytes the means are taken of. */
  readonly of: string;
  readonly rows: number;
  readonly dims: readonly number[];
}

/** What a ReduceMean over the last axes makes, of a value or a view of it. */
function meanOf(name: string, around: Surroundings): Mean | undefined {
  const node = around.writer(sourceOf(name, around));
  if (node?.op !== 'ReduceMean') return undefined;
  const [input, axesName = ''] = node.inputs as [string, string?];
  const given = axesName === '' ? undefined : around.array(axesName)?.data;
  const { dims } = around.type(input);
  const axes = Array.from(given ?? [], (axis) => (axis + dims.length) % dims.length);
  const first = Math.min(...axes);
  const trailing = axes.length > 0 && dims.every((d, axis) => axis < first || d === 1 || axes.includes(axis));
  if (!trailing) return undefined;
  return { of: sourceOf(input, around), rows: sizeOf(dims.slice(0, first)), dims: around.type(name).dims };
}

/** The axis from which on a row lies, where each of the means has an element for every row and broadcasts to it. */
function firstAxis(dims: readonly number[], means: readonly Mean[]): number | undefined {
  for (let axis = dims.length - 1; axis >= 0; axis--) {
    const perRow = dims.map((d, i) => (i < axis ? d : 1));
    if (means.every((mean) => mean.rows === sizeOf(perRow) && sameDims(mean.dims, perRow))) return axis;
  }
  return undefined;
}

function isSquare(name: string, of: string, around: Surroundings): boolean {
  const product = inputsOf('Mul', name, around);
  const power = inputsOf('Pow', name, around);
  return product ? product.every((i) => i === of) : power?.[0] === of && around.scalar(power[1]) === 2;
}

function bothWays({ inputs }: Node): [string, string][] {
  const [a, b] = inputs as [string, string];
  return [
    [a, b],
    [b, a],
  ];
}

const scale: Rule = (node, around) => reciprocal(node, around) ?? withParameter(node, 1, around);
const shift: Rule = (node, around) => withParameter(node, 2, around);

/** Takes the scale (input 1) or shift (input 2) into the normalisation before it, which must have none so far. */
function withParameter(node: Node, index: 1 | 2, around: Surroundings): string | undefined {
  for (const [result, parameter] of bothWays(node)) {
    const norm = around.readOnce(result) ? around.writer(result) : undefined;
    const shape = norm && isNormalization(norm) && isFree(norm, index, around) && parameterShape(norm, around);
    if (!shape || !fits(parameter, result, shape, norm.op, around)) continue;
    const inputs = [norm.inputs[0], norm.inputs[1], norm.inputs[2] ?? ''] as string[];
    inputs[index] = inShape(parameter, shape, around);
    while (inputs.at(-1) === '') inputs.pop();
    return around.add(norm.op, inputs, norm.attributes);
  }
  return undefined;
}

function isNormalization({ op, outputs }: Node): boolean {
  return /^(Layer|RMS|Instance)Normalization$/.test(op) && outputs.slice(1).every((name) => name === '');
}

/** A scale of ones, with no shift yet; or no shift. */
function isFree({ op, inputs }: Node, index: 1 | 2, around: Surroundings): boolean {
  const neutral = (i: number) => (inputs[i] ?? '') === '' || all(inputs[i] as string, i === 1 ? 1 : 0, around);
  if (index === 1) return neutral(1) && neutral(2);
  return op !== 'RMSNormalization' && neutral(2);
}

function all(name: string, value: number, around: Surroundings): boolean {
  return around.array(name)?.data.every((v) => v === value) ?? false;
}

function parameterShape({ inputs }: Node, around: Surroundings): readonly number[] {
  return around.type(inputs[1] as string).dims;
}

/** Whether broadcasting gives each element of the result that of the parameter which the operator gives it. */
function fits(name: string, result: string, shape: readonly number[], op: string, around: Surroundings): boolean {
  const [own, full] = [around.type(name), around.type(result)];
  if (own.dtype !== full.dtype || own.dims.length > full.dims.length) return false;
  const spread = op === 'InstanceNormalization' ? [...shape, ...full.dims.slice(2).map(() => 1)] : shape;
  const lead = own.dims.length - spread.length;
  return lead >= 0 && sameDims(own.dims.slice(lead), spread) && own.dims.slice(0, lead).every((d) => d === 1);
}
