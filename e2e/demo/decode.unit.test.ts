// The demo's decoders on outputs small enough to check by hand, and the way back from input to picture.

import { describe, expect, it } from 'vitest';
import { type Box, overlap, suppress } from '../../src/demo/decode/boxes';
import { decodeClasses } from '../../src/demo/decode/classify';
import { decodeFastestDet } from '../../src/demo/decode/fastestdet';
import { toPicture } from '../../src/demo/decode/fit';
import { decodeGlyphs } from '../../src/demo/decode/glyphs';
import { numbersOf } from '../../src/demo/decode/numbers';
import { summarise } from '../../src/demo/decode/summary';
import { decodeTextMap } from '../../src/demo/decode/textmap';
import { decodeUltraFace } from '../../src/demo/decode/ultraface';
import { decodeYolox } from '../../src/demo/decode/yolox';
import { decodeYuNet } from '../../src/demo/decode/yunet';

const box = (x0: number, y0: number, x1: number, y1: number, score = 1, label = 'a'): Box => ({
  x0,
  y0,
  x1,
  y1,
  score,
  label,
});
const corners = ({ x0, y0, x1, y1 }: Box) => [x0, y0, x1, y1].map((v) => Math.round(v * 100) / 100);

describe('boxes', () => {
  it('overlap is intersection over union', () => {
    expect(overlap(box(0, 0, 2, 2), box(1, 0, 3, 2))).toBeCloseTo(1 / 3);
    expect(overlap(box(0, 0, 1, 1), box(2, 0, 3, 1))).toBe(0);
  });

  it('suppress keeps the best of overlapping boxes of one label, best first', () => {
    const kept = suppress(
      [box(0, 0, 10, 10, 0.6), box(1, 0, 11, 10, 0.9), box(1, 0, 11, 10, 0.7, 'b'), box(50, 0, 60, 10, 0.8)],
      0.5,
    );
    expect(kept.map((b) => b.score)).toEqual([0.9, 0.8, 0.7]);
  });
});

describe('toPicture', () => {
  const found = box(60, 60, 260, 180);
  it('fill stretches each side by itself', () => {
    expect(corners(toPicture(found, { fit: 'fill' }, [240, 320], [480, 1280]))).toEqual([240, 120, 1040, 360]);
  });
  it('contain takes the bars away and cuts at the edges', () => {
    // A picture of 640 × 320 in 320 × 240: half the size, 40 rows of bar above and below.
    expect(corners(toPicture(found, { fit: 'contain' }, [240, 320], [320, 640]))).toEqual([120, 40, 520, 280]);
    expect(corners(toPicture(box(0, 0, 320, 240), { fit: 'contain' }, [240, 320], [320, 640]))).toEqual([
      0, 0, 640, 320,
    ]);
  });
  it('contain at the start has its bar at the end', () => {
    expect(corners(toPicture(found, { fit: 'contain', align: 'start' }, [240, 320], [320, 640]))).toEqual([
      120, 120, 520, 320,
    ]);
  });
  it('cover adds what was cropped', () => {
    // A picture of 400 × 240 loses 40 columns on each side.
    expect(corners(toPicture(found, { fit: 'cover' }, [240, 320], [240, 400]))).toEqual([100, 60, 300, 180]);
  });
});

describe('detectors', () => {
  it('glyphs: a peak and its neighbour become one box', () => {
    const [rows, columns] = [3, 4];
    const heat = new Float32Array(5 * rows * columns);
    const terms = new Float32Array(4 * rows * columns);
    heat[2 * 12 + 5] = 0.9; // triangle in row 1, column 1
    heat[2 * 12 + 6] = 0.5;
    terms[6] = -1; // the neighbour points at the same centre
    const outputs = {
      heat: { data: heat, dims: [1, 5, rows, columns] },
      box: { data: terms, dims: [1, 4, rows, columns] },
    };
    const found = decodeGlyphs(outputs);
    expect(found.map((b) => b.label)).toEqual(['triangle']);
    expect(corners(found[0]!)).toEqual([-4, -4, 28, 28]);
  });

  it('UltraFace: corners are shares of the input', () => {
    const outputs = {
      scores: { data: [0.1, 0.9, 0.8, 0.2], dims: [1, 2, 2] },
      boxes: { data: [0.25, 0.5, 0.5, 0.75, 0, 0, 1, 1], dims: [1, 2, 4] },
    };
    const found = decodeUltraFace(outputs, [240, 320]);
    expect(found.map(corners)).toEqual([[80, 120, 160, 180]]);
  });

  it('YuNet: boxes and landmarks are relative to their cell', () => {
    const outputs = Object.fromEntries(
      [8, 16, 32].flatMap((stride) => {
        const cells = (32 / stride) ** 2;
        const hit = stride === 16 ? 3 : -1; // row 1, column 1
        const fill = (width: number, values: number[]) =>
          Array.from({ length: cells * width }, (_, i) => (Math.floor(i / width) === hit ? values[i % width]! : 0));
        return [
          [`cls_${stride}`, { data: fill(1, [0.9]), dims: [1, cells, 1] }],
          [`obj_${stride}`, { data: fill(1, [0.9]), dims: [1, cells, 1] }],
          [`bbox_${stride}`, { data: fill(4, [0.5, 0.5, 0, Math.log(2)]), dims: [1, cells, 4] }],
          [`kps_${stride}`, { data: fill(10, Array(10).fill(0.25)), dims: [1, cells, 10] }],
        ];
      }),
    );
    const found = decodeYuNet(outputs, [32, 32]);
    expect(found.map(corners)).toEqual([[16, 8, 32, 40]]);
    expect(found[0]!.points![0]).toEqual([20, 20]);
  });

  it('YOLOX: rows follow the strides 8, 16, 32', () => {
    const rows = 16 + 4 + 1;
    const data = new Float32Array(rows * 7);
    data.set([0.5, 0.5, 0, 0, 0.9, 0.1, 0.8], 18 * 7); // stride 16, row 1, column 0
    const found = decodeYolox({ data, dims: [1, rows, 7] }, [32, 32], ['cat', 'dog']);
    expect(found.map((b) => b.label)).toEqual(['dog']);
    expect(found[0]!.score).toBeCloseTo(0.72);
    expect(corners(found[0]!)).toEqual([0, 16, 16, 32]);
  });

  it('FastestDet: sizes are shares of the input', () => {
    const data = new Float32Array(7 * 4);
    const at = (channel: number, value: number) => {
      data[channel * 4 + 3] = value; // row 1, column 1
    };
    at(0, 0.9);
    at(6, 1);
    const found = decodeFastestDet({ data, dims: [1, 7, 2, 2] }, [64, 64], ['cat', 'dog']);
    expect(found.map((b) => b.label)).toEqual(['dog']);
    expect(corners(found[0]!)).toEqual([16, 16, 48, 48]);
  });

  it('text map: each connected region is a line', () => {
    const data = new Float32Array(10 * 20);
    for (let x = 2; x < 12; x++) for (let y = 1; y < 5; y++) data[y * 20 + x] = 0.9;
    for (let x = 14; x < 18; x++) for (let y = 6; y < 9; y++) data[y * 20 + x] = 0.8;
    data[9 * 20] = 0.9; // a speck
    const found = decodeTextMap({ data, dims: [1, 1, 10, 20] });
    expect(found).toHaveLength(2);
    expect(found[0]!.x0).toBeLessThan(2);
    expect(found[0]!.x1).toBeGreaterThan(12);
  });
});

describe('numbers', () => {
  it('classes: logits go through softmax, probabilities stay', () => {
    const [best] = decodeClasses({ data: [0, Math.log(3)], dims: [1, 2] }, ['a', 'b']);
    expect(best).toEqual({ label: 'b', score: expect.closeTo(0.75) });
    expect(decodeClasses({ data: [0.25, 0.75], dims: [1, 2] }, [])[0]).toEqual({ label: 'class 1', score: 0.75 });
  });

  it('float16 bits and bigint become numbers', () => {
    const half = { type: 'float16', data: Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x7c00), dims: [4] } as const;
    expect(Array.from(numbersOf(half).data)).toEqual([1, -2, 2 ** -24, Number.POSITIVE_INFINITY]);
    const long = { type: 'int64', data: BigInt64Array.of(5n, -7n), dims: [2] } as const;
    expect(Array.from(numbersOf(long).data)).toEqual([5, -7]);
  });

  it('summary', () => {
    const { min, max, mean, top } = summarise('y', 'float32', { data: [1, 4, -2], dims: [3] });
    expect([min, max, mean]).toEqual([-2, 4, 1]);
    expect(top[0]).toEqual({ index: 1, value: 4 });
  });
});
