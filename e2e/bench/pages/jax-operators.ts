// Rewrites, in a model that jax-js has parsed, the two operators of the benchmark's networks that its loader
// lacks: GlobalAveragePool as a mean over space, and LSTM as its steps written out, which jit then sees whole.

import type { ONNXModel } from '@jax-js/onnx';

type Model = ONNXModel['model'];
type Node = NonNullable<Model['graph']>['node'][number];
type Attribute = Node['attribute'][number];

export function withKnownOperators(model: Model): void {
  const { graph } = model;
  if (!graph) return;
  const dims = new Map(graph.initializer.map(({ name, dims }) => [name, dims.map(Number)]));
  const sequence = Number(firstDim(graph.input[0]));
  graph.node = graph.node.flatMap((found) => {
    if (found.opType === 'GlobalAveragePool') {
      return [node('ReduceMean', found.input, found.output, [ints('axes', [2, 3]), int('keepdims', 1)])];
    }
    if (found.opType !== 'LSTM' || found.input.length > 4 || found.output.length > 2) return [found];
    return stepsOf(found, sequence, dims.get(found.input[2] ?? '')?.[2] ?? 0);
  });
}

function firstDim(input: NonNullable<Model['graph']>['input'][number] | undefined): bigint {
  const type = input?.type?.value;
  const dim = type?.case === 'tensorType' ? type.value.shape?.dim[0]?.value : undefined;
  return dim?.case === 'dimValue' ? dim.value : 0n;
}

/** One direction, batch 1, the default activations, no initial state: https://onnx.ai/onnx/operators/onnx__LSTM.html */
function stepsOf({ input, output, name }: Node, sequence: number, hidden: number): Node[] {
  const [x = '', w = '', r = '', b = ''] = input;
  const [all = '', last = ''] = output;
  const at = (what: string) => `${name}/${what}`;
  const nodes: Node[] = [];
  const add = (op: string, inputs: string[], what: string, attributes: Attribute[] = []) => {
    nodes.push(node(op, inputs, [at(what)], attributes));
    return at(what);
  };
  const constant = (values: number[], what: string) => add('Constant', [], what, [ints('value_ints', values)]);
  const zero = constant([0], 'zero');
  const one = constant([1], 'one');
  const [flatX, flatW, flatR] = [
    add('Squeeze', [x, one], 'x'),
    add('Squeeze', [w, zero], 'w'),
    add('Squeeze', [r, zero], 'r'),
  ];
  nodes.push(node('Split', [add('Squeeze', [b, zero], 'b')], [at('wb'), at('rb')], [int('num_outputs', 2)]));
  const bias = add('Add', [at('wb'), at('rb')], 'bias');
  const fromInput = add('Gemm', [flatX, flatW, bias], 'xw', [int('transB', 1)]);
  const states: string[] = [];
  let [h, c] = ['', ''];
  for (let t = 0; t < sequence; t++) {
    const row = add('Slice', [fromInput, constant([t], `t${t}`), constant([t + 1], `u${t}`)], `row${t}`);
    const gates = h === '' ? row : add('Gemm', [h, flatR, row], `gates${t}`, [int('transB', 1)]);
    const parts = ['i', 'o', 'f', 'g'].map((gate) => at(`${gate}${t}`));
    nodes.push(node('Split', [gates], parts, [int('axis', 1), int('num_outputs', 4)]));
    const [i, o, f] = parts
      .slice(0, 3)
      .map((part) => add('Sigmoid', [part], part.slice(name.length + 1).toUpperCase()));
    const written = add('Mul', [i as string, add('Tanh', [at(`g${t}`)], `G${t}`)], `ig${t}`);
    c = c === '' ? written : add('Add', [add('Mul', [f as string, c], `fc${t}`), written], `c${t}`);
    h = add('Mul', [o as string, add('Tanh', [c], `tc${t}`)], `h${t}`);
    states.push(h);
  }
  const joined = add('Concat', states, 'states', [int('axis', 0)]);
  nodes.push(node('Reshape', [joined, constant([sequence, 1, 1, hidden], 'allShape')], [all]));
  if (last !== '') nodes.push(node('Reshape', [h, constant([1, 1, hidden], 'lastShape')], [last]));
  return nodes;
}

function node(opType: string, input: readonly string[], output: readonly string[], attribute: Attribute[] = []): Node {
  return {
    opType,
    input: [...input],
    output: [...output],
    attribute,
    name: output[0] ?? '',
    domain: '',
  } as unknown as Node;
}

/** Numbers of AttributeProto.AttributeType in https://github.com/onnx/onnx/blob/main/onnx/onnx.proto */
function int(name: string, value: number): Attribute {
  return { name, type: 2, i: BigInt(value) } as unknown as Attribute;
}

function ints(name: string, values: readonly number[]): Attribute {
  return { name, type: 7, ints: values.map(BigInt) } as unknown as Attribute;
}
