// Products of bytes whose sums become floats at once, as dynamic quantisation has them (DynamicQuantizeLinear →
// MatMulInteger → Cast → Mul): on adapters without an instruction for products of bytes the weights stay bytes, and the
// quantised left operand is multiplied as the floats that its bytes stand for, which takes fewer operations than taking
// both apart. This comes after lowering, which other operators of the kind come down to MatMulInteger in.

import type { AdapterProfile } from '../base/adapter';
import { int64s, ndarray } from '../base/ndarray';
import { numberOfDType } from '../base/onnx-dtypes';
import { ceilDiv, sizeOf } from '../base/shape';
import type { Graph } from '../ir/graph';
import { chunkSize, internalName } from '../ops/nbits/problem';
import { constantValues } from './constants';
import { type Rule, rewrite } from './rewrite';

export function fuseDequantizeDynamic(graph: Graph, adapter: AdapterProfile): Graph {
  const multipliesBytes = adapter.features.includes('packed_4x8_integer_dot_product') && !adapter.software;
  if (multipliesBytes || !graph.nodes.some(({ op }) => op === 'MatMulInteger')) return graph;
  const constants = constantValues(graph);
  return rewrite(graph, { Cast: floatSums((name) => constants.has(name)) });
}

const floatSums =
  (isConstant: (name: string) => boolean): Rule =>
  (node, around) => {
    const sums = around.writer(node.inputs[0] as string);
    if (sums?.op !== 'MatMulInteger' || node.attributes.to !== numberOfDType('float32')) return undefined;
    const [a, w, aZero = '', wZero = ''] = sums.inputs as [string, string, string?, string?];
    const { dtype, dims } = around.type(w);
    const sizeOrOne = (name: string) => (name === '' ? 1 : sizeOf(around.type(name).dims));
    const [k, n] = dims as [number, number];
    const known = isConstant(w) && (wZero === '' || isConstant(wZero));
    const single = sizeOrOne(aZero) === 1 && (aZero === '' || around.type(aZero).dims.length <= 1);
    const fits = dims.length === 2 && single && [1, n].includes(sizeOrOne(wZero));
    if (!known || !fits || isConstant(a) || k === 0 || n === 0) return undefined;

    const to = { to: numberOfDType('float32') };
    const reshaped = (name: string, shape: readonly number[]) =>
      around.add('Reshape', [name, around.constant(int64s(shape))]);
    const bytes = around.add('Cast', [a], to);
    const left = aZero === '' ? bytes : around.add('Sub', [bytes, around.add('Cast', [aZero], to)]);
    const size = chunkSize * ceilDiv(k, chunkSize);
    const ones = around.constant(ndarray('float32', [n, 1], new Float32Array(n).fill(1)));
    const inputs = [left, around.add('lepton.PackBits', [w], { transposed: 1, bytes: size }), ones];
    if (wZero !== '') {
      const single = sizeOrOne(wZero) === 1 && n > 1;
      const column = reshaped(wZero, [single ? 1 : n, 1]);
      const each = single ? around.add('Expand', [column, around.constant(int64s([n, 1]))]) : column;
      inputs.push(around.add('lepton.PackBits', [each], { transposed: 0, bytes: 1 }));
    } else if (dtype === 'uint8') {
      inputs.push(around.constant(ndarray('uint8', [n, 1])));
    }
    return around.add(internalName, inputs, { K: k, N: n, bits: 8, block_size: size });
  };
