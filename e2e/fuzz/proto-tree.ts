// A protobuf message as a tree that can be changed and written again, whatever it then says. The reader's own
// tables tell sub-messages and texts from plain bytes; fields that they do not name stay bytes.

import { graphProto, modelProto } from '../../src/read/proto';

export interface Field {
  number: number;
  wire: number;
  /** ONNX's name of the field's message, and the field's own name in the reader's tables. */
  readonly message: string;
  readonly name: string;
  /** Exactly one of these. */
  varint?: bigint;
  bytes?: Uint8Array;
  children?: Field[];
}

interface Table {
  readonly name: string;
  readonly fields: Readonly<Record<number, readonly [string, string | (() => Table)]>>;
}

const root = modelProto(graphProto) as unknown as Table;

export function parseModel(bytes: Uint8Array): Field[] {
  return parse(bytes, root);
}

function parse(bytes: Uint8Array, table: Table): Field[] {
  const fields: Field[] = [];
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++] as number;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const take = (length: number): Uint8Array => {
    at += length;
    return bytes.slice(at - length, at);
  };
  while (at < bytes.length) {
    const key = Number(varint());
    const [number, wire] = [Math.floor(key / 8), key % 8];
    const [name, kind] = table.fields[number] ?? ['', ''];
    const field: Field = { number, wire, message: table.name, name };
    if (wire === 0) field.varint = varint();
    else if (wire === 1) field.bytes = take(8);
    else if (wire === 5) field.bytes = take(4);
    else {
      const value = take(Number(varint()));
      if (typeof kind === 'function') field.children = parse(value, kind());
      else field.bytes = value;
    }
    fields.push(field);
  }
  return fields;
}

export function serialise(fields: readonly Field[]): Uint8Array<ArrayBuffer> {
  const parts = fields.flatMap(({ number, wire, varint, bytes, children }) => {
    const key = varintBytes(BigInt(number * 8 + wire));
    if (varint !== undefined) return [key, varintBytes(varint)];
    const value = children ? serialise(children) : (bytes ?? new Uint8Array());
    return wire === 2 ? [key, varintBytes(BigInt(value.length)), value] : [key, value];
  });
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

function varintBytes(value: bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}

/** Every field of the tree with the list that holds it, parents before children. */
export function allFields(fields: Field[]): { field: Field; siblings: Field[] }[] {
  return fields.flatMap((field) => [{ field, siblings: fields }, ...allFields(field.children ?? [])]);
}

export function copyOf(field: Field): Field {
  return { ...field, ...(field.children && { children: field.children.map(copyOf) }) };
}
