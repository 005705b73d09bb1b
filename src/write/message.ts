// A protobuf message as it is written: fields in, pieces of bytes out. Large contents stay the arrays that they are until the
// whole is put together, so that writing a model takes its own size in memory and not three times that.

import { PbfWriter } from 'pbf';

/** Contents up to this size are copied at once: many small pieces would cost more. */
const smallPiece = 4096;

export class Message {
  private readonly pieces: Uint8Array[] = [];
  private pbf = new PbfWriter();

  /** A whole number; negative ones as 64 bits. */
  int(field: number, value: number): this {
    this.pbf.writeVarintField(field, value);
    return this;
  }

  float(field: number, value: number): this {
    this.pbf.writeFloatField(field, value);
    return this;
  }

  string(field: number, value: string): this {
    this.pbf.writeStringField(field, value);
    return this;
  }

  bytes(field: number, value: Uint8Array): this {
    return this.contents(field, [value]);
  }

  message(field: number, value: Message): this {
    return this.contents(field, value.finish());
  }

  /** The bytes written so far, in pieces. */
  finish(): readonly Uint8Array[] {
    if (this.pbf.pos > 0) {
      this.pieces.push(this.pbf.finish());
      this.pbf = new PbfWriter();
    }
    return this.pieces;
  }

  private contents(field: number, pieces: readonly Uint8Array[]): this {
    const length = lengthOf(pieces);
    if (length <= smallPiece) {
      this.pbf.writeBytesField(field, joined(pieces));
      return this;
    }
    const lengthDelimited = 2;
    this.pbf.writeTag(field, lengthDelimited);
    this.pbf.writeVarint(length);
    this.finish();
    this.pieces.push(...pieces);
    return this;
  }
}

function lengthOf(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, piece) => sum + piece.length, 0);
}

/** The pieces as one. */
export function joined(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(lengthOf(pieces));
  let at = 0;
  for (const piece of pieces) {
    out.set(piece, at);
    at += piece.length;
  }
  return out;
}
