// What changed between opsets, operator by operator, back to opset 1. Changes that only add types or an
// attribute whose default is the old behaviour need no rule. The history of each operator:
// https://github.com/onnx/onnx/blob/main/docs/Changelog.md

import { int64s, ndarray, scalar } from '../base/ndarray';
import type { AttributeValue, Node } from '../ir/graph';
import { alignOperand, flattenAround, perChannel } from './upgrade-shapes';
import type { Upgrade, UpgradeContext } from './upgrade-step';

type Rewrite = Upgrade['rewrite'];

function withInput(node: Node, index: number, name: string): Node {
  const inputs = [...node.inputs];
  while (inputs.length <= index) inputs.push('');
  inputs[index] = name;
  return { ...node, inputs };
}

function without(node: Node, ...names: string[]): Node {
  return {
    ...node,
    attributes: Object.fromEntries(Object.entries(node.attributes).filter(([k]) => !names.includes(k))),
  };
}

function withAttributes(node: Node, attributes: Record<string, AttributeValue>): Node {
  return { ...node, attributes: { ...node.attributes, ...attributes } };
}

/** A list attribute becomes the int64 input `index`. */
function listToInput(attribute: string, index: number): Rewrite {
  return (node, c) => {
    const list = numbers(node, attribute, c);
    return list ? withInput(without(node, attribute), index, c.constant(int64s(list))) : node;
  };
}

/** A number attribute becomes the scalar input `index`, of the element type of input 0. */
function numberToInput(attribute: string, index: number): Rewrite {
  return (node, c) => {
    const value = number(node, attribute, c);
    if (value === undefined) return node;
    const dtype = c.value(node.inputs[0] ?? '')?.dtype ?? 'float32';
    return withInput(without(node, attribute), index, c.constant(scalar(dtype, value)));
  };
}

function number(node: Node, attribute: string, c: UpgradeContext): number | undefined {
  const value = node.attributes[attribute];
  if (value === undefined || typeof value === 'number') return value;
  return c.malformed(`has an attribute "${attribute}" that is no number`);
}

function numbers(node: Node, attribute: string, c: UpgradeContext): number[] | undefined {
  const value = node.attributes[attribute];
  if (value === undefined) return undefined;
  const list: readonly unknown[] = Array.isArray(value) ? value : [undefined];
  return list.map((v) =>
    typeof v === 'number' ? v : c.malformed(`has an attribute "${attribute}" that is no list of numbers`),
  );
}

function inAll(...rewrites: Rewrite[]): Rewrite {
  return (node, c) => rewrites.reduce((n, rewrite) => rewrite(n, c), node);
}

const drop =
  (...names: string[]): Rewrite =>
  (node) =>
    without(node, ...names);
const setDefault =
  (name: string, value: AttributeValue): Rewrite =>
  (node) => {
    return node.attributes[name] === undefined ? withAttributes(node, { [name]: value }) : node;
  };
const replaceValue =
  (name: string, words: Readonly<Record<string, AttributeValue>>): Rewrite =>
  (node) => {
    const word = node.attributes[name];
    const value = typeof word === 'string' ? words[word] : undefined;
    return value === undefined ? node : withAttributes(node, { [name]: value });
  };
const refuse =
  (problem: string): Rewrite =>
  (_, c) =>
    c.unsupported(problem);

/** Inputs that are given as constants without elements are absent: old exporters could not leave them out. */
const emptyInputsAbsent: Rewrite = (node, c) => {
  const inputs = node.inputs.map((name) => (c.value(name)?.dims?.includes(0) ? '' : name));
  while (inputs.at(-1) === '') inputs.pop();
  return { ...node, inputs };
};

/** Upsample and the first Resize scaled coordinates by x / scale. */
function asymmetricResize(node: Node, scales: string, nearest: 'floor' | 'ceil'): Node {
  const mode = node.attributes.mode === 'linear' || node.attributes.mode === 'bilinear' ? 'linear' : 'nearest';
  const attributes = { mode, coordinate_transformation_mode: 'asymmetric', nearest_mode: nearest };
  return { ...node, op: 'Resize', inputs: [node.inputs[0] ?? '', '', scales], attributes };
}

const resize10: Rewrite = (node, c) => {
  const scales = node.inputs[1] ?? '';
  const known = c.value(scales)?.constant;
  // Runtimes agreed on this before ONNX had a word for it: the next pixel when shrinking, else the one before.
  const shrinks =
    known?.kind === 'inline' && known.array.data.some((s) => s < 1) && known.array.data.every((s) => s <= 1);
  return asymmetricResize(node, scales, shrinks ? 'ceil' : 'floor');
};

const upsample: Rewrite = (node, c) => {
  const width = number(node, 'width_scale', c);
  const height = number(node, 'height_scale', c);
  const list = width && height ? [1, 1, height, width] : numbers(node, 'scales', c);
  const scales = list ? c.constant(ndarray('float32', [list.length], list)) : node.inputs[1];
  return asymmetricResize(node, scales ?? c.malformed('has no scales'), 'floor');
};

/** With statistics for each position by itself, what was to be normalised came down to arithmetic. */
const batchNorm9: Rewrite = (node, c) => {
  if (node.attributes.spatial !== 0) return without(node, 'spatial', 'is_test');
  const [x = '', scale = '', bias = '', mean = '', variance = ''] = node.inputs;
  const epsilon = c.constant(scalar(c.value(x)?.dtype ?? 'float32', number(node, 'epsilon', c) ?? 1e-5));
  const deviation = c.add('Sqrt', [c.add('Add', [variance, epsilon])]);
  const normal = c.add('Div', [c.add('Sub', [x, mean]), deviation]);
  return { ...node, op: 'Add', inputs: [c.add('Mul', [normal, scale]), bias], attributes: {} };
};

function rename(attributes: Node['attributes'], from: string, to: string): Node['attributes'] {
  return Object.fromEntries(Object.entries(attributes).map(([key, value]) => [key === from ? to : key, value]));
}

/** The default axis was 1, and is -2 now. */
function axisOfDft(node: Node, c: UpgradeContext): Node {
  return withInput(without(node, 'axis'), 2, c.constant(scalar('int64', number(node, 'axis', c) ?? 1)));
}

/** The ratio may be of another type than the data; without the third input, dropout does nothing anyway. */
function ratioOfDropout(node: Node, c: UpgradeContext): Node {
  const ratio = number(node, 'ratio', c);
  return ratio === undefined ? node : withInput(without(node, 'ratio'), 1, c.constant(scalar('float32', ratio)));
}

const kOfTopK: Rewrite = (node, c) => {
  const k = number(node, 'k', c) ?? c.malformed('lacks the attribute "k"');
  return withInput(without(node, 'k'), 1, c.constant(int64s([k])));
};

/** TensorProto.DataType from 1 on, by the names that Cast once used. */
const typeNames = 'FLOAT UINT8 INT8 UINT16 INT16 INT32 INT64 STRING BOOL FLOAT16 DOUBLE UINT32 UINT64'.split(' ');
const typesByName = Object.fromEntries(typeNames.map((name, i) => [name, i + 1]));

/** For what is rewritten wherever it is met. */
const always = Number.POSITIVE_INFINITY;

const table: [ops: string, ...steps: Upgrade[]][] = [
  ['Add And Div Equal Greater Less Mul Or Pow Sub Xor', { below: 7, rewrite: alignOperand }],
  [
    'BatchNormalization',
    { below: 9, rewrite: batchNorm9 },
    // At inference, the further outputs of old had no meaning; today's belong to training_mode.
    { below: 14, rewrite: (node) => ({ ...node, outputs: node.outputs.slice(0, 1) }) },
  ],
  ['Cast', { below: 6, rewrite: replaceValue('to', typesByName) }],
  ['Clip', { below: 11, rewrite: inAll(numberToInput('min', 1), numberToInput('max', 2)) }],
  ['Concat', { below: 4, rewrite: setDefault('axis', 1) }],
  ['DFT', { below: 20, rewrite: axisOfDft }],
  ['Dropout', { below: 7, rewrite: drop('is_test') }, { below: 12, rewrite: ratioOfDropout }],
  ['Gemm', { below: 7, rewrite: drop('broadcast') }],
  [
    'GlobalLpPool LpPool',
    { below: 2, rewrite: (node, c) => withAttributes(node, { p: Math.round(number(node, 'p', c) ?? 2) }) },
  ],
  ['GridSample', { below: 20, rewrite: replaceValue('mode', { bilinear: 'linear', bicubic: 'cubic' }) }],
  ['GroupNormalization', { below: 21, rewrite: perChannel }],
  ['GRU LSTM RNN', { below: 7, rewrite: drop('output_sequence') }],
  ['Hardmax LogSoftmax Softmax', { below: 13, rewrite: flattenAround }],
  [
    'Pad',
    { below: 2, rewrite: (node) => ({ ...node, attributes: rename(node.attributes, 'paddings', 'pads') }) },
    { below: 11, rewrite: inAll(listToInput('pads', 1), numberToInput('value', 2)) },
  ],
  ['PRelu', { below: 7, rewrite: (node, c) => alignOperand(withAttributes(node, { axis: 1 }), c) }],
  [
    'ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSumSquare',
    { below: 18, rewrite: listToInput('axes', 1) },
  ],
  ['ReduceSum', { below: 13, rewrite: listToInput('axes', 1) }],
  ['Reshape', { below: 5, rewrite: listToInput('shape', 1) }],
  ['Resize', { below: 11, rewrite: resize10 }, { below: always, rewrite: emptyInputsAbsent }],
  ['RoiAlign', { below: 16, rewrite: setDefault('coordinate_transformation_mode', 'output_half_pixel') }],
  [
    'Scan',
    {
      below: 9,
      rewrite: refuse('is of a form that ONNX replaced in opset 9. Convert the model with onnx.version_converter'),
    },
  ],
  ['Scatter', { below: always, renamed: 'ScatterElements', rewrite: (node) => ({ ...node, op: 'ScatterElements' }) }],
  ['Selu', { below: 6, rewrite: inAll(setDefault('alpha', 1.6732), setDefault('gamma', 1.0507)) }],
  ['Slice', { below: 10, rewrite: inAll(listToInput('starts', 1), listToInput('ends', 2), listToInput('axes', 3)) }],
  [
    'Split',
    { below: 13, rewrite: listToInput('split', 1) },
    {
      below: 18,
      rewrite: (node) => (node.inputs[1] ? node : withAttributes(node, { num_outputs: node.outputs.length })),
    },
  ],
  ['Squeeze Unsqueeze', { below: 13, rewrite: listToInput('axes', 1) }],
  [
    'Tile',
    {
      below: 6,
      rewrite: refuse('repeats along one axis only, as opset 1 did. Convert the model with onnx.version_converter'),
    },
  ],
  ['TopK', { below: 10, rewrite: kOfTopK }],
  ['Upsample', { below: always, renamed: 'Resize', rewrite: upsample }],
];

export const upgrades: ReadonlyMap<string, readonly Upgrade[]> = new Map(
  table.flatMap(([ops, ...steps]) => ops.split(' ').map((op): [string, Upgrade[]] => [op, steps])),
);
