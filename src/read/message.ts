// Protobuf messages from tables: a table names a message's fields, the reader fills a plain object with
// them. Fields that no table names are skipped unread, and so are the payloads of large tensors, of which
// only the place is kept. Invariant: what is held is bounded by `heldLimit` a field and `maxDepth` levels.

import { malformed, unsupported } from './malformed';
import type { Window } from './window';
import { type Wire, type WireField, wireType } from './wire';

/** Part of a tensor's data: `bytes` where it was small enough to be held. */
export interface Piece {
  readonly offset: number;
  readonly length: number;
  readonly bytes?: Uint8Array;
}

/**
 * How a field is read: numbers, strings (repeated ones packed or not), pieces of tensor data (`stored`
 * ones stay in the file when large, `packed` ones hold varints and are always read), or a sub-message.
 */
type KindOf<V> = V extends string
  ? 'string'
  : V extends number
    ? 'int' | 'float'
    : V extends readonly string[]
      ? 'strings'
      : V extends readonly number[]
        ? 'ints' | 'floats'
        : V extends readonly Piece[]
          ? 'stored' | 'packed'
          : V extends readonly (infer M extends object)[]
            ? () => Message<M>
            : V extends object
              ? () => Message<V>
              : never;

type FieldOf<T> = { [K in keyof T & string]-?: readonly [K, KindOf<NonNullable<T[K]>>] }[keyof T & string];

export interface Message<T extends object> {
  readonly name: string;
  /** An empty message: repeated fields are empty lists, absent ones undefined. */
  create(): T;
  readonly fields: Readonly<Record<number, FieldOf<T>>>;
  /** Called before each field is read. */
  before?(field: number, into: T): void;
}

/** Tensor data up to this size becomes part of the graph; more stays in the file. */
export const inlineLimit = 4 << 10;
const heldLimit = 16 << 20;
/** More pieces than any writer makes of one tensor. */
const maxPieces = 1 << 16;
const maxDepth = 64;

// The reader itself does not know the types: this is the wire edge.
type Untyped = Message<Record<string, unknown>>;
type Leaf = 'string' | 'int' | 'float' | 'strings' | 'ints' | 'floats' | 'stored' | 'packed';
type Kind = Leaf | (() => Untyped);

/** Reads the message [wire.position, end) into a new object. */
export async function readMessage<T extends object>(wire: Wire, message: Message<T>, end: number): Promise<T> {
  return (await readInto(wire, message as unknown as Untyped, end, 1)) as T;
}

async function readInto(wire: Wire, message: Untyped, end: number, depth: number): Promise<Record<string, unknown>> {
  const into = message.create();
  if (depth > maxDepth) {
    throw malformed(`The messages are nested more than ${maxDepth} deep at byte ${wire.position}: ${message.name}.`);
  }
  for (;;) {
    if (!wire.isLoaded(end)) await wire.load(end);
    const field = wire.next(end, label(message, into));
    if (!field) return into;
    message.before?.(field.number, into);
    const known = message.fields[field.number] as readonly [string, Kind] | undefined;
    if (!known) continue;
    const [name, kind] = known;
    const inside = `${label(message, into)}, field ${name}`;
    if (typeof kind === 'function') {
      expect(field, inside, wireType.bytes);
      wire.position = field.offset;
      const child = await readInto(wire, kind(), field.offset + field.length, depth + 1);
      const list = into[name];
      if (Array.isArray(list)) list.push(child);
      else into[name] = child;
    } else if (kind === 'stored' && field.length > inlineLimit) {
      (into[name] as Piece[]).push({ offset: field.offset, length: field.length });
    } else {
      if (field.length > heldLimit) throw tooLong(field, inside);
      if (!wire.window.holds(field.offset, field.length)) await wire.loadValue(field, inside);
      readLeaf(wire.window, field, kind, inside, into, name);
    }
  }
}

/** Reads a value whose bytes are in view. */
function readLeaf(
  { pbf, start: viewStart }: Window,
  field: WireField,
  kind: Leaf,
  inside: string,
  into: Record<string, unknown>,
  name: string,
): void {
  const list = into[name];
  const start = field.offset - viewStart;
  const end = start + field.length;
  pbf.pos = start;
  switch (kind) {
    case 'int':
      expect(field, inside, wireType.varint);
      into[name] = pbf.readVarint(true);
      return;
    case 'float':
      expect(field, inside, wireType.fixed32);
      into[name] = pbf.readFloat();
      return;
    case 'string':
    case 'strings': {
      expect(field, inside, wireType.bytes);
      const text = utf8.decode(pbf.buf.subarray(start, end));
      if (Array.isArray(list)) list.push(text);
      else into[name] = text;
      return;
    }
    case 'ints':
      expect(field, inside, wireType.varint, wireType.bytes);
      checkVarints(pbf.buf.subarray(start, end), field.offset, inside);
      while (pbf.pos < end) (list as number[]).push(pbf.readVarint(true));
      return;
    case 'floats':
      expect(field, inside, wireType.fixed32, wireType.bytes);
      if (field.length % 4 !== 0) {
        throw malformed(`${inside} at byte ${field.offset} has ${field.length} bytes, no multiple of 4.`);
      }
      while (pbf.pos < end) (list as number[]).push(pbf.readFloat());
      return;
    case 'stored':
    case 'packed':
      addPiece(list as Piece[], field, kind, inside, pbf.buf.slice(start, end));
      return;
    default:
      throw kind satisfies never;
  }
}

const utf8 = new TextDecoder();

/**
 * The encodings of single elements, put after one another, are the encoding of them all: an unpacked
 * element is a piece like any other.
 */
function addPiece(
  pieces: Piece[],
  { offset, length }: WireField,
  kind: 'stored' | 'packed',
  inside: string,
  bytes: Uint8Array,
): void {
  if (kind === 'packed') checkVarints(bytes, offset, inside);
  if (pieces.length >= maxPieces) {
    throw unsupported(`${inside} is written in more than ${maxPieces} pieces. Save the model again with onnx.save().`);
  }
  pieces.push({ offset, length, bytes });
}

function tooLong(field: WireField, inside: string): Error {
  return unsupported(
    `${inside} at byte ${field.offset} holds ${field.length} bytes as protobuf numbers or text; at most ${heldLimit} ` +
      'are read that way. Store large tensors as raw_data, as onnx.numpy_helper.from_array() does.',
    { offset: field.offset, expected: heldLimit, got: field.length },
  );
}

/** Throws unless the bytes are whole varints of at most ten bytes. */
function checkVarints(bytes: Uint8Array, offset: number, inside: string): void {
  let run = 0;
  for (const byte of bytes) {
    run = byte < 0x80 ? 0 : run + 1;
    if (run >= 10) throw malformed(`${inside} at byte ${offset} has a number longer than 10 bytes.`);
  }
  if (run > 0) throw malformed(`${inside} at byte ${offset} ends inside a number.`);
}

function expect(field: WireField, inside: string, ...wires: number[]): void {
  if (wires.includes(field.wire)) return;
  throw malformed(
    `${inside} at byte ${field.offset} has wire type ${field.wire} instead of ${wires.join(' or ')}. The file is damaged.`,
    { offset: field.offset, expected: wires, got: field.wire },
  );
}

/** 'TensorProto "conv1.weight"', as far as the name has been read. */
function label(message: Untyped, into: Record<string, unknown>): string {
  return typeof into.name === 'string' && into.name !== '' ? `${message.name} "${into.name}"` : message.name;
}
