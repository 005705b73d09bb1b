// Protobuf's wire format with every length checked: walks the fields of one message after another
// without reading what it skips. Fields in, errors with byte offsets out; never a byte past the end.
// https://protobuf.dev/programming-guides/encoding/

import { malformed } from './malformed';
import type { Window } from './window';

/** A field's value is the bytes [offset, offset + length) of the file. */
export interface WireField {
  readonly number: number;
  readonly wire: WireType;
  readonly offset: number;
  readonly length: number;
}

export const wireType = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;
export type WireType = (typeof wireType)[keyof typeof wireType];

/** Longest varint; a field's header is at most two of them. */
const varintBytes = 10;

export class Wire {
  /** Offset of the next field. */
  position = 0;

  constructor(readonly window: Window) {}

  /** Whether `next` can do without `load`; most often it can, and need not wait for it. */
  isLoaded(end: number): boolean {
    return this.position >= end || this.window.holds(this.position, this.headerBytes(end));
  }

  async load(end: number): Promise<void> {
    const at = this.position;
    const have = await this.window.load(at, this.headerBytes(end));
    // Where the length was unknown, a skipped value may have reached past the file's end: look whether its last byte exists.
    if (have === 0 && at > 0) await this.window.load(at - 1, 1);
  }

  /**
   * Reads the header of the next field, which is loaded, and moves past its value; undefined at the end.
   * @param end where the message ends; Infinity for a file of unknown length
   * @param inside names the message, for errors
   */
  next(end: number, inside: string): WireField | undefined {
    const at = this.position;
    if (at >= end) return undefined;
    const limit = Math.min(at + this.headerBytes(end), this.window.end);
    if (limit <= at) return this.endOfFile(at, end, inside);
    const { pbf, start } = this.window;
    pbf.pos = at - start;
    const key = this.varint(limit, end, inside);
    const number = Math.floor(key / 8);
    const wire = key % 8;
    if (number < 1 || number > 0x1fffffff || !isWireType(wire)) {
      throw malformed(
        `At byte ${at}, inside ${inside}, there is no protobuf field (number ${number}, wire type ${wire}). ` +
          'The file is damaged, or not an ONNX model.',
        { offset: at },
      );
    }
    const length = this.valueLength(wire, limit, end, inside);
    const offset = start + pbf.pos;
    if (offset + length > end) {
      if (end >= this.window.fileEnd) throw this.truncated(end, inside, offset + length);
      throw malformed(
        `Field ${number} at byte ${at} says that it reaches to byte ${offset + length}, past the end of its ` +
          `${inside} at byte ${end}. The file is damaged.`,
        { offset: at, expected: end, got: offset + length },
      );
    }
    this.position = offset + length;
    return { number, wire, offset, length };
  }

  /** Brings the value's bytes into view. */
  async loadValue(field: WireField, inside: string): Promise<void> {
    const { offset, length } = field;
    const have = await this.window.load(offset, length);
    if (have < length) throw this.truncated(offset + have, inside, offset + length);
  }

  private valueLength(wire: WireType, limit: number, end: number, inside: string): number {
    if (wire === wireType.fixed64) return 8;
    if (wire === wireType.fixed32) return 4;
    if (wire === wireType.bytes) return this.varint(limit, end, inside);
    const { pbf } = this.window;
    const from = pbf.pos;
    this.varint(limit, end, inside);
    const length = pbf.pos - from;
    pbf.pos = from;
    return length;
  }

  /** pbf trusts its buffer, so the end of the varint is found first. */
  private varint(limit: number, end: number, inside: string): number {
    const { pbf, start } = this.window;
    const at = start + pbf.pos;
    for (let i = 0; i < varintBytes; i++) {
      if (at + i >= limit) {
        if (limit < end || end >= this.window.fileEnd) throw this.truncated(limit, inside, limit + 1);
        throw malformed(`A number at byte ${at} runs past the end of its ${inside} at byte ${end}.`, { offset: at });
      }
      if ((pbf.buf[pbf.pos + i] as number) < 0x80) return pbf.readVarint();
    }
    throw malformed(`The number at byte ${at}, inside ${inside}, is longer than ${varintBytes} bytes.`, { offset: at });
  }

  private headerBytes(end: number): number {
    return Math.min(2 * varintBytes, end - this.position);
  }

  private endOfFile(at: number, end: number, inside: string): undefined {
    const exact = at === this.window.end;
    if (end === Number.POSITIVE_INFINITY && exact) return undefined;
    throw this.truncated(exact ? at : Math.min(at, this.window.fileEnd), inside, exact ? end : at);
  }

  private truncated(fileEnd: number, inside: string, needed: number): Error {
    return malformed(
      `The model is truncated: it ends at or before byte ${fileEnd}, inside ${inside}, which needs bytes up to ${needed}. ` +
        'Load the file again, and check that the whole of it was written.',
      { offset: fileEnd, expected: needed, got: fileEnd },
    );
  }
}

function isWireType(wire: number): wire is WireType {
  return wire === 0 || wire === 1 || wire === 2 || wire === 5;
}
