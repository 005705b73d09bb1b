// Writes planar RGB in 0..1 as a PNG: 8 bits a channel, and for each row the filter that leaves the
// smallest differences. https://www.w3.org/TR/png-3/

import { crc32, deflateSync } from 'node:zlib';
import type { Plane } from './layers';

const signature = Uint8Array.of(137, 80, 78, 71, 13, 10, 26, 10);

export function encodePng({ width, height, data }: Pick<Plane, 'width' | 'height' | 'data'>): Uint8Array {
  const header = new DataView(new ArrayBuffer(13));
  header.setUint32(0, width);
  header.setUint32(4, height);
  header.setUint8(8, 8); // bits
  header.setUint8(9, 2); // red, green, blue
  const pixels = filterRows(interleave(width, height, data), width * 3, height);
  return Buffer.concat([
    signature,
    chunk('IHDR', new Uint8Array(header.buffer)),
    chunk('IDAT', deflateSync(pixels, { level: 9, memLevel: 9 })),
    chunk('IEND', new Uint8Array()),
  ]);
}

function interleave(width: number, height: number, planes: Float32Array): Uint8Array {
  const plane = width * height;
  return Uint8Array.from({ length: 3 * plane }, (_, i) =>
    Math.round(planes[(i % 3) * plane + Math.floor(i / 3)]! * 255),
  );
}

function filterRows(bytes: Uint8Array, stride: number, height: number): Uint8Array {
  const out = new Uint8Array((stride + 1) * height);
  const empty = new Uint8Array(stride);
  for (let y = 0; y < height; y++) {
    const row = bytes.subarray(y * stride, (y + 1) * stride);
    const above = y > 0 ? bytes.subarray((y - 1) * stride, y * stride) : empty;
    const candidates = predictors.map((predict) => {
      const line = new Uint8Array(stride);
      for (let i = 0; i < stride; i++) {
        line[i] = row[i]! - predict(i < 3 ? 0 : row[i - 3]!, above[i]!, i < 3 ? 0 : above[i - 3]!);
      }
      return { line, cost: line.reduce((sum, v) => sum + Math.min(v, 256 - v), 0) };
    });
    const cheapest = candidates.reduce((a, b) => (b.cost < a.cost ? b : a));
    out[y * (stride + 1)] = candidates.indexOf(cheapest);
    out.set(cheapest.line, y * (stride + 1) + 1);
  }
  return out;
}

/** Filter types 0 to 4 of the format, by their number: what left, above and above-left predict. */
const predictors: readonly ((a: number, b: number, c: number) => number)[] = [
  () => 0,
  (a) => a,
  (_, b) => b,
  (a, b) => (a + b) >> 1,
  (a, b, c) => {
    const [pa, pb, pc] = [Math.abs(b - c), Math.abs(a - c), Math.abs(a + b - 2 * c)];
    return pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
  },
];

function chunk(type: string, data: Uint8Array): Uint8Array {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const frame = Buffer.alloc(body.length + 8);
  frame.writeUInt32BE(data.length, 0);
  frame.set(body, 4);
  frame.writeUInt32BE(crc32(body), body.length + 4);
  return frame;
}
