// Cases of QuantizeLinear and DequantizeLinear: every way in which scales belong to elements, every type.

import type { DType } from '../../base/dtype';
import { numberOfDType } from '../../base/onnx-dtypes';
import type { CaseInput, OpCase } from '../../ir/opdef';
import { integerRange } from './element';

const scale = (...dims: number[]): CaseInput => ({ dims, range: [0.02, 0.2] });
const zero = (dtype: DType, ...dims: number[]): CaseInput => ({ dtype, dims, range: integerRange(dtype) });
const spread: CaseInput = { dims: [3, 5, 43], range: [-9, 9] };

const integers = ['int8', 'uint8', 'int16', 'uint16', 'int4', 'uint4', 'int2', 'uint2'] as const;
const floats = ['float8e4m3fn', 'float8e4m3fnuz', 'float8e5m2', 'float8e5m2fnuz', 'float4e2m1'] as const;

export const quantizeCases: OpCase[] = [
  { name: 'uint8 by default', inputs: [spread, scale()] },
  { name: 'a scale of one element', inputs: [{ dims: [] }, scale(1), zero('int8', 1)] },
  ...integers.map((dtype) => ({ name: `${dtype} along an axis`, inputs: [spread, scale(5), zero(dtype, 5)] })),
  ...floats.map((dtype) => ({
    name: dtype,
    inputs: [{ dims: [8], values: [-7e4, -400, -3, -0.3, 0, 1e-3, 5, 6e4] }, scale()],
    attributes: { output_dtype: numberOfDType(dtype) },
  })),
  {
    name: 'float8e5m2 without saturation',
    inputs: [
      { dims: [3], values: [-7e4, 1, 7e9] },
      { dims: [], values: [0.5] },
    ],
    attributes: { output_dtype: numberOfDType('float8e5m2'), saturate: 0 },
  },
  {
    name: 'last axis, int32',
    inputs: [{ dtype: 'int32', dims: [3, 5], range: [-99, 99] }, scale(5), zero('uint8', 5)],
    attributes: { axis: -1 },
  },
  { name: 'blocks', inputs: [spread, scale(1, 5, 43), zero('int8', 1, 5, 43)], attributes: { axis: 0, block_size: 3 } },
  { name: 'blocks, the last one short', inputs: [spread, scale(3, 3, 43)], attributes: { block_size: 2 } },
  {
    name: 'float16, stated type',
    inputs: [
      { dtype: 'float16', dims: [129], range: [-2, 2] },
      { dtype: 'float16', dims: [], values: [0.125] },
    ],
    attributes: { output_dtype: numberOfDType('int8') },
  },
];

const quantized = (dtype: DType): CaseInput => ({ ...zero(dtype, 3, 5, 43) });

export const dequantizeCases: OpCase[] = [
  { name: 'without a zero point', inputs: [quantized('uint8'), scale()] },
  ...integers.map((dtype) => ({
    name: `${dtype} along an axis`,
    inputs: [quantized(dtype), scale(5), zero(dtype, 5)],
  })),
  ...floats.map((dtype) => ({ name: dtype, inputs: [{ dtype, dims: [7], range: [-3, 3] as const }, scale()] })),
  { name: 'int32', inputs: [{ dtype: 'int32', dims: [129], range: [-9999, 9999] }, scale()] },
  {
    name: 'blocks',
    inputs: [quantized('int8'), scale(3, 1, 43), zero('int8', 3, 1, 43)],
    attributes: { block_size: 5 },
  },
  {
    name: 'blocks, the last one short, to float16',
    inputs: [quantized('uint4'), scale(3, 5, 11), zero('uint4', 3, 5, 11)],
    attributes: { axis: -1, block_size: 4, output_dtype: numberOfDType('float16') },
    tolerance: 2e-3,
  },
];
