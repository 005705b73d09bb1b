// One layer of a transformer encoder over token ids [1, length], as exporters write it, with weights large
// enough to stay in the file. Nothing in it fixes the length.

import { ndarray } from '../../src/base/ndarray';
import { makeModel, type NodeSpec, type TensorSpec, tensorOf } from '../support/onnx-writer';

const width = 64;
const heads = 4;
const vocabulary = 50;

export function sequenceModel(): Uint8Array<ArrayBuffer> {
  return makeModel({
    nodes: [
      node('Gather', ['table', 'ids'], 'x'),
      ...['q', 'k', 'v'].flatMap((part) => [
        node('MatMul', ['x', `w_${part}`], `${part}_flat`),
        node('Reshape', [`${part}_flat`, 'split'], `${part}_heads`),
        node('Transpose', [`${part}_heads`], part, { perm: { ints: part === 'k' ? [0, 2, 3, 1] : [0, 2, 1, 3] } }),
      ]),
      node('MatMul', ['q', 'k'], 'raw'),
      node('Mul', ['raw', 'scale'], 'scaled'),
      node('Softmax', ['scaled'], 'probabilities', { axis: { int: -1 } }),
      node('MatMul', ['probabilities', 'v'], 'mixed'),
      node('Transpose', ['mixed'], 'rows', { perm: { ints: [0, 2, 1, 3] } }),
      node('Shape', ['x'], 'shape'),
      node('Reshape', ['rows', 'shape'], 'joined'),
      node('Add', ['joined', 'x'], 'sum'),
      node('LayerNormalization', ['sum', 'gain', 'bias'], 'normal'),
      node('MatMul', ['normal', 'w_up'], 'up'),
      node('Gelu', ['up'], 'active'),
      node('MatMul', ['active', 'w_down'], 'down'),
      node('Add', ['down', 'normal'], 'y'),
    ],
    inputs: [{ name: 'ids', dtype: 'int64', shape: [1, 'length'] }],
    outputs: [{ name: 'y', dtype: 'float32', shape: [1, 'length', width] }],
    initializers: [
      weights('table', vocabulary, width),
      weights('w_q', width, width),
      weights('w_k', width, width),
      weights('w_v', width, width),
      weights('w_up', width, 4 * width),
      weights('w_down', 4 * width, width),
      tensorOf('gain', ndarray('float32', [width], new Float32Array(width).fill(1))),
      tensorOf('bias', ndarray('float32', [width])),
      tensorOf('scale', ndarray('float32', [], [1 / Math.sqrt(width / heads)])),
      tensorOf('split', ndarray('int64', [4], [0, 0, heads, width / heads])),
    ],
  });
}

function node(op: string, inputs: string[], output: string, attributes?: NodeSpec['attributes']): NodeSpec {
  return { op, name: `${op} ${output}`, inputs, outputs: [output], ...(attributes && { attributes }) };
}

function weights(name: string, rows: number, columns: number): TensorSpec {
  const values = Float32Array.from({ length: rows * columns }, (_, i) => Math.sin(i * 12.9898 + name.length) * 0.2);
  return tensorOf(name, ndarray('float32', [rows, columns], values));
}
