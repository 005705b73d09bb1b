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
