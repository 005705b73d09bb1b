// ONNX Runtime's products of quantised matrices with float results, each a MatMulInteger or its like and
// element-wise steps: MatMulIntegerToFloat (A, B, scales of both, zero points of both, bias) and
// DynamicQuantizeMatMul (float A, quantised on the way; B, its scale, its zero point, bias).

import { type NDArray, ndarray } from '../base/ndarray';
import { formatDims, sizeOf } from '../base/shape';
import { NodeView } from '../ir/node-view';
import { defineOp, type LowerBuilder, type OpCase } from '../ir/opdef';
import dynamicQuantize from './dynamic-quantize.op';
import { integerMatmulDims } from './integer/matmul';
import matmulInteger from './matmul-integer.op';
import { cast, reshaped } from './quantize/requantize';

/** A product node's inputs by part, as names, types or arrays. */
interface Parts<T> {
  readonly a: T;
  readonly b: T;
  readonly aScale: T;
  readonly bScale: T;
  readonly aZero: T | undefined;
  readonly bZero: T | undefined;
  readonly bias: T | undefined;
}

/** Sums times the scales, plus the bias; scales and bias are single or one a column. */
function scaledReference(n: NodeView, p: Parts<NDArray>): NDArray[] {
  const view = new NodeView(
    n.node,
    {},
    [p.a, p.b, p.aZero, p.bZero].map((t) => t && { dtype: t.dtype, dims: t.dims, isConstant: false }),
  );
  const [sums] = matmulInteger.reference(view, [p.a, p.b, p.aZero, p.bZero]) as [NDArray];
  const at = ({ data }: NDArray, i: number) => data[i % data.length] as number;
  return [
    ndarray(
      'float32',
      sums.dims,
      Array.from(sums.data, (v, i) => v * at(p.aScale, i) * at(p.bScale, i) + (p.bias ? at(p.bias, i) : 0)),
    ),
  ];
}

function scaledProduct(b: LowerBuilder, p: Parts<string>): string[] {
  const single = (name: string) => (sizeOf(b.type(name).dims) === 1 ? reshaped(b, name, []) : name);
  // The scales first: what is there before the product can become part of its kernel.
  const factor = b.add('Mul', [single(p.aScale), single(p.bScale)]);
  const sums = b.add('MatMulInteger', [p.a, p.b, p.aZero ?? '', p.bZero ?? '']);
  const product = b.add('Mul', [cast(b, sums[0] as string, 'float32'), ...factor]);
  return p.bias ? b.add('Add', [...product, p.bias]) : product;
}

/** The shape rule: of MatMulInteger with these inputs. Scales and the optional bias are single or one a column. */
function dimsOf(n: NodeView, inputs: NodeView['inputs'], scales: readonly number[], bias: number): number[] {
  const dims = integerMatmulDims(new NodeView(n.node, {}, inputs));
  for (const i of scales) n.input(i);
  for (const i of [...scales, bias]) {
    const own = n.inputs[i]?.dims ?? [];
    const byColumn = sizeOf(own) === dims.at(-1) && own.at(-1) === dims.at(-1) && own.length <= dims.length;
    if (sizeOf(own) !== 1 && !byColumn)
      n.fail(`has an input ${i} of shape ${formatDims(own)} for ${dims.at(-1)} columns`);
  }
  return dims;
}

const toFloat = defineOp({
  name: 'com.microsoft.MatMulIntegerToFloat',
  attributes: {},
  infer(n) {
    const [a, w, , , aZero, bZero] = n.inputs;
    n.input(3);
    return [{ dtype: n.input(2).dtype, dims: dimsOf(n, [a, w, aZero, bZero], [2, 3], 6) }];
  },
  reference(n, inputs) {
    const [a, b, aScale, bScale, aZero, bZero, bias] = inputs as [
      NDArray,
      NDArray,
      NDArray,
      NDArray,
      NDArray?,
      NDArray?,
      NDArray?,
    ];
    const [y] = scaledReference(n, { a, b, aScale, bScale, aZero, bZero, bias }) as [NDArray];
    return [ndarray(aScale.dtype, y.dims, y.data)];
  },
  lower(n, b) {
    const name = (i: number) => (n.has(i) ? (n.node.inputs[i] as string) : undefined);
    const wide = (i: number) => (n.has(i) ? cast(b, n.node.inputs[i] as string, 'float32') : undefined);
    const [y] = scaledProduct(b, {
      a: name(0) as string,
      b: name(1) as string,
      aScale: wide(2) as string,
      bScale: wide(3) as string,
      aZero: name(4),
      bZero: name(5),
      bias: wide(6),
    });
    return [cast(b, y as string, n.output(0).dtype)];
  },
});

const dynamic = defineOp({
  name: 'com.microsoft.DynamicQuantizeMatMul',
  attributes: {},
  infer(n) {
    const [a, w, , bZero] = n.inputs;
    n.input(2);
    if (a?.dtype !== 'float32') n.fail(`quantises ${a?.dtype}; expected float32`);
    return [{ dtype: 'float32', dims: dimsOf(n, [a && { ...a, dtype: 'uint8' }, w, undefined, bZero], [2], 4) }];
  },
  reference(n, inputs) {
    const [x, b, bScale, bZero, bias] = inputs as [NDArray, NDArray, NDArray, NDArray?, NDArray?];
    const [a, aScale, aZero] = dynamicQuantize.reference(n, [x]) as [NDArray, NDArray, NDArray];
    return scaledReference(n, { a, b, aScale, bScale, aZero, bZero, bias });
  },
  lower(n, b) {
    const [x, w, bScale, bZero, bias] = n.node.inputs as [string, string, string, string?, string?];
    const [a, aScale, aZero] = b.add('DynamicQuantizeLinear', [x], {}, 3) as [string, string, string];
    return scaledProduct(b, { a, b: w, aScale, bScale, aZero, bZero: bZero || undefined, bias: bias || undefined });
  },
});

export default [toFloat, dynamic];

const bytes = (...dims: number[]) => ({ dtype: 'uint8', dims, range: [0, 255] }) as const;
const signed = (...dims: number[]) => ({ dtype: 'int8', dims, range: [-128, 127], constant: true }) as const;
const scale = (...dims: number[]) => ({ dims, range: [0.01, 0.02] }) as const;

export const cases: Record<string, OpCase[]> = {
  'com.microsoft.MatMulIntegerToFloat': [
    {
      name: 'columns and bias',
      inputs: [bytes(2, 5, 12), signed(12, 9), scale(), scale(9), bytes(), signed(9), { dims: [9] }],
    },
    { name: 'no zero points', inputs: [bytes(3, 8), bytes(8, 7), scale(1), scale(1)] },
  ],
  'com.microsoft.DynamicQuantizeMatMul': [
    { name: 'columns and bias', inputs: [{ dims: [5, 12] }, signed(12, 9), scale(9), signed(9), { dims: [9] }] },
    { name: 'one scale', inputs: [{ dims: [2, 3, 8] }, signed(8, 7), scale()] },
    { name: 'a row', inputs: [{ dims: [1, 131] }, signed(131, 70), scale(70), signed(1), { dims: [70] }] },
  ],
};
