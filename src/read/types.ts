// ONNX's element types and value types → Lepton's. What has no counterpart is refused by name.

import { type DType, dtypes } from '../base/dtype';
import { dtypeOfNumber } from '../base/onnx-dtypes';
import type { Dim, Value } from '../ir/graph';
import { malformed, unsupported } from './malformed';
import type { ShapeProto, TypeProto, ValueProto } from './proto';

/** Numbers of TensorProto.DataType that Lepton has no type for. */
const foreign: Readonly<Record<number, string>> = {
  8: 'string',
  14: 'complex64',
  15: 'complex128',
  27: 'float6e2m3',
  28: 'float6e3m2',
};

/** ONNX's name of an element type that Lepton lacks; undefined where ONNX has none of that number. */
export function foreignName(type: number): string | undefined {
  return foreign[type];
}

/** @param owner what has the type, for errors: 'Initialiser "w"' */
export function requireDType(type: number, owner: string): DType {
  const dtype = dtypeOfNumber(type);
  if (dtype) return dtype;
  const name = foreignName(type);
  if (name) {
    throw unsupported(
      `${owner} has the element type ${name}, which Lepton does not support (it supports ${dtypes.join(', ')}).`,
      { type: name },
    );
  }
  throw malformed(`${owner} has the element type ${type}, which ONNX does not define.`, { got: type });
}

/**
 * A declared value; undefined where the declaration gives no type.
 * @param inside whether it is a value between nodes, which may be a sequence or an optional of tensors
 */
export function declaredValue(proto: ValueProto, role: string, inside: boolean): Value | undefined {
  const name = proto.name ?? '';
  if (name === '') throw malformed(`The model declares ${role} without a name.`);
  const owner = `The model's ${role} "${name}"`;
  const tensor = proto.type?.tensor;
  if (!tensor) {
    const other = proto.type && otherType(proto.type);
    if (!other || (inside && (other === 'sequence' || other === 'optional'))) return undefined;
    throw unsupported(`${owner} is of type ${other}; Lepton takes and gives tensors only.`, {
      value: name,
      type: other,
    });
  }
  if (!tensor.elementType) return undefined;
  const dtype = requireDType(tensor.elementType, owner);
  return tensor.shape ? { name, dtype, dims: dimsOf(tensor.shape, name, owner) } : { name, dtype };
}

function otherType(type: TypeProto): string | undefined {
  const { sequence, map, opaque, sparse, optional } = type;
  const present = Object.entries({ sequence, map, opaque, 'sparse tensor': sparse, optional });
  return present.find(([, message]) => message)?.[0];
}

function dimsOf(shape: ShapeProto, name: string, owner: string): Dim[] {
  return shape.dims.map(({ value, param }, i) => {
    // Exporters write '?', '-1' or 'None' for several sizes that differ: such a name means nothing.
    if (param !== undefined && /^[\p{L}_]/u.test(param) && param !== 'None') return param;
    if (value === undefined || value <= 0) return `${name}_dim${i}`;
    if (!Number.isSafeInteger(value)) throw malformed(`${owner} has the absurd size ${value} in dimension ${i}.`);
    return value;
  });
}
