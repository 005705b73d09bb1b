// ONNX's numbers for element types (TensorProto.DataType), which operators such as Cast carry as attributes.
// https://github.com/onnx/onnx/blob/main/onnx/onnx.proto

import type { DType } from './dtype';

const numbers = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
  bfloat16: 16,
  float8e4m3fn: 17,
  float8e4m3fnuz: 18,
  float8e5m2: 19,
  float8e5m2fnuz: 20,
  uint4: 21,
  int4: 22,
  float4e2m1: 23,
  float8e8m0: 24,
  uint2: 25,
  int2: 26,
} as const satisfies Record<DType, number>;

const byNumber = new Map(Object.entries(numbers).map(([dtype, number]) => [number as number, dtype as DType]));

/** The element type with ONNX's number `type`; undefined where Lepton lacks it. */
export function dtypeOfNumber(type: number): DType | undefined {
  return byNumber.get(type);
}

/** ONNX's number of the element type. */
export function numberOfDType(dtype: DType): number {
  return numbers[dtype];
}
