// Element types as safetensors files name them. https://github.com/huggingface/safetensors

import type { DType } from './dtype';

export const safetensorsNames = {
  float64: 'F64',
  float32: 'F32',
  float16: 'F16',
  bfloat16: 'BF16',
  int64: 'I64',
  int32: 'I32',
  int16: 'I16',
  int8: 'I8',
  uint64: 'U64',
  uint32: 'U32',
  uint16: 'U16',
  uint8: 'U8',
  bool: 'BOOL',
  float8e4m3fn: 'F8_E4M3',
  float8e5m2: 'F8_E5M2',
  float8e8m0: 'F8_E8M0',
  float4e2m1: 'F4',
} as const satisfies Partial<Record<DType, string>>;
