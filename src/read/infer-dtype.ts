// Element types of values that the file declares no type for: enough to give an upgraded node's new
// constants the right type, and every value one. Shapes are the operators' business, and types too once
// shapes are inferred; an operator unknown here passes on the type of its first input.

import type { DType } from '../base/dtype';
import { dtypeOfNumber } from '../base/onnx-dtypes';
import type { Node, Value } from '../ir/graph';

type Lookup = (name: string) => Value | undefined;
type Rule = (node: Node, input: (i: number) => DType | undefined) => (DType | undefined)[];

const always =
  (...types: DType[]): Rule =>
  () =>
    types;
const ofInput =
  (i: number, ...more: DType[]): Rule =>
  (_, input) => [input(i), ...more];
const ofAttribute =
  (name: string, fallback?: DType): Rule =>
  (node, input) => {
    const type = node.attributes[name];
    return [typeof type === 'number' ? dtypeOfNumber(type) : (fallback ?? input(0))];
  };
const tensorOf =
  (name: string, fallback: DType): Rule =>
  (node) => {
    const value = node.attributes[name];
    return [typeof value === 'object' && 'tensor' in value ? value.tensor.dtype : fallback];
  };
const ofGraph =
  (name: string, from: number): Rule =>
  (node) => {
    const value = node.attributes[name];
    if (typeof value !== 'object' || !('graph' in value)) return [];
    const { outputs, values } = value.graph;
    return outputs.slice(from).map((output) => values.get(output)?.dtype);
  };

function table(ops: string, rule: Rule): [string, Rule][] {
  return ops.split(' ').map((op) => [op, rule]);
}

const rules = new Map<string, Rule>([
  ...table('Equal Greater GreaterOrEqual Less LessOrEqual And Or Xor Not IsNaN IsInf', always('bool')),
  ...table('Shape Size NonZero ArgMax ArgMin NonMaxSuppression', always('int64')),
  ...table('ConvInteger MatMulInteger', always('int32')),
  ...table('MaxPool TopK', ofInput(0, 'int64')),
  ...table('Unique', ofInput(0, 'int64', 'int64', 'int64')),
  ...table('Dropout', ofInput(0, 'bool')),
  ...table('CastLike Where DequantizeLinear', ofInput(1)),
  ...table('OneHot', ofInput(2)),
  ...table('QLinearConv QLinearMatMul', ofInput(7)),
  ...table('Cast BitCast', ofAttribute('to')),
  ...table('EyeLike RandomNormalLike RandomUniformLike Bernoulli', ofAttribute('dtype')),
  ...table('RandomNormal RandomUniform', ofAttribute('dtype', 'float32')),
  ...table('Multinomial', ofAttribute('dtype', 'int32')),
  ...table('BlackmanWindow HammingWindow HannWindow MelWeightMatrix', ofAttribute('output_datatype', 'float32')),
  ...table('ConstantOfShape', tensorOf('value', 'float32')),
  ['QuantizeLinear', (node, input) => [input(2) ?? ofAttribute('output_dtype', 'uint8')(node, input)[0]]],
  ['DynamicQuantizeLinear', always('uint8', 'float32', 'uint8')],
  ['If', ofGraph('then_branch', 0)],
  ['Loop', ofGraph('body', 1)],
  ['Scan', ofGraph('body', 0)],
]);

/** The type of each output; float32 where nothing tells. */
export function outputDTypes(node: Node, lookup: Lookup): DType[] {
  const input = (i: number) => lookup(node.inputs[i] ?? '')?.dtype;
  const first = node.inputs.findIndex((name) => name !== '');
  const found = rules.get(node.op)?.(node, input) ?? [];
  return node.outputs.map((_, i) => found[i] ?? input(first) ?? 'float32');
}

/** The type of input `i` of the body that `node` (Loop or Scan) runs; float32 where nothing tells. */
export function bodyInputDType(node: Node, i: number, lookup: Lookup): DType {
  if (node.op === 'Loop' && i < 2) return i === 0 ? 'int64' : 'bool';
  return lookup(node.inputs[i] ?? '')?.dtype ?? 'float32';
}
