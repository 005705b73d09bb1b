// What the digits page is made of, without a page: pictures as MNIST has them, digits of its own, how training is
// remembered, and the network that ships.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { ndarray } from '../../src/base/ndarray';
import { pictureOf, type Stroke, side } from '../../src/demo/digits/ink';
import { Lessons } from '../../src/demo/digits/lessons';
import { bestOf } from '../../src/demo/digits/network';
import { TrainingProgress } from '../../src/demo/digits/progress';
import shipped from '../../src/demo/digits/shipped.json';
import { synthetic } from '../../src/demo/digits/synthetic';
import { type Remembered, remember } from '../../src/demo/remembered';
import { describeWithData } from '../support/data';
import { ortRun } from '../support/oracle';
import { digits } from '../train/digits';

/** Ink by rows and columns: bounds and centre of mass. */
function measure(picture: Float32Array) {
  let [mass, x, y] = [0, 0, 0];
  const [columns, rows] = [[] as number[], [] as number[]];
  for (const [i, ink] of picture.entries()) {
    const [column, row] = [i % side, Math.floor(i / side)];
    mass += ink;
    x += ink * (column + 0.5);
    y += ink * (row + 0.5);
    if (ink > 0.5) {
      columns.push(column);
      rows.push(row);
    }
  }
  const extent = (list: readonly number[]) => Math.max(...list) - Math.min(...list) + 1;
  return { x: x / mass, y: y / mass, width: extent(columns), height: extent(rows) };
}

function memory(): Remembered {
  const map = new Map<string, string>();
  return {
    getItem: (key: string) => map.get(key) ?? null,
    setItem: (key: string, value: string) => void map.set(key, value),
    removeItem: (key: string) => void map.delete(key),
  };
}

describe('pictures of drawings', () => {
  const seven: Stroke[] = [
    [
      [0.7, 0.1],
      [0.8, 0.1],
      [0.74, 0.3],
    ],
  ];

  it('fit 20×20, with the centre of mass in the middle', () => {
    const { x, y, width, height } = measure(pictureOf(seven));
    expect([width, height].sort((a, b) => b - a)[0]).toBe(20);
    expect(x).toBeCloseTo(14, 0);
    expect(y).toBeCloseTo(14, 0);
  });

  it('are the same wherever and however large the drawing is', () => {
    const larger = seven.map((stroke) => stroke.map(([x, y]) => [3 * x - 1, 3 * y + 2] as const));
    const [a, b] = [pictureOf(seven), pictureOf(larger)];
    expect(Math.max(...a.map((ink, i) => Math.abs(ink - (b[i] as number))))).toBeLessThan(1e-3);
  });

  it('of nothing and of a dot', () => {
    expect(Math.max(...pictureOf([]))).toBe(0);
    expect(measure(pictureOf([[[0.2, 0.9]]])).width).toBeLessThan(5);
  });
});

describe('digits of the generator', () => {
  it('are the same for the same seed, and others for another', () => {
    const indices = [0, 5, 9];
    expect(synthetic(indices, 3)).toEqual(synthetic(indices, 3));
    expect(synthetic(indices, 4).images).not.toEqual(synthetic(indices, 3).images);
    // A digit does not depend on those that are asked for with it.
    expect(synthetic([5], 3).images).toEqual(synthetic(indices, 3).images.slice(784, 2 * 784));
  });

  it('are all ten, about equally often, in ink from 0 to 1', () => {
    const { images, labels } = synthetic(
      Array.from({ length: 1000 }, (_, i) => i),
      1,
    );
    for (let digit = 0; digit < 10; digit++) {
      const count = labels.filter((label) => label === digit).length;
      expect(count).toBeGreaterThan(60);
      expect(count).toBeLessThan(140);
    }
    expect(images.every((ink) => ink >= 0 && ink <= 1)).toBe(true);
  });
});

describe('what the page remembers', () => {
  it('curves of any length stay short, and come back', () => {
    const storage = memory();
    const progress = new TrainingProgress(storage);
    for (let i = 0; i < 2000; i++) progress.addBatch(1 / (1 + i), 0.5);
    progress.endEpoch(3, 0.9);
    progress.store();
    const again = new TrainingProgress(storage);
    expect(again.points).toEqual(progress.points);
    expect(again.points.length).toBeLessThanOrEqual(400);
    expect(again.points.at(-1)?.batch).toBeGreaterThan(1980);
    expect(again).toMatchObject({ batches: 2000, epoch: 4 });
    again.clear();
    expect(new TrainingProgress(storage).batches).toBe(0);
  });

  it('corrected drawings come back, and are shown again', () => {
    const storage = memory();
    const lessons = new Lessons(storage);
    expect(lessons.some(3).labels.length).toBe(0);
    lessons.add({ digit: 7, strokes: [[[0.123456, 0.2]], [[0.5, 0.5]]] });
    const again = new Lessons(storage);
    expect(again.size).toBe(1);
    expect([...again.some(3).labels]).toEqual([7, 7, 7]);
  });

  it('lasts as long as the page where the browser forbids more', () => {
    const forbidden = remember(() => {
      throw new DOMException('The operation is insecure.', 'SecurityError');
    });
    const full = { ...memory(), setItem: () => expect.unreachable('caught') };
    for (const storage of [forbidden, remember(() => full), remember(() => undefined as never)]) {
      expect(storage.getItem('theme')).toBe(null);
      storage.setItem('theme', 'dark');
      expect(storage.getItem('theme')).toBe('dark');
      storage.removeItem('theme');
      expect(storage.getItem('theme')).toBe(null);
    }
    const lasting = memory();
    remember(() => lasting).setItem('theme', 'light');
    expect(remember(() => lasting).getItem('theme')).toBe('light');
  });

  it('leaves of another version count as nothing', () => {
    const storage = memory();
    storage.setItem('lepton-digits-lessons', '{"no": "list"}');
    storage.setItem('lepton-digits-progress', 'nonsense');
    expect(new Lessons(storage).size).toBe(0);
    expect(new TrainingProgress(storage).batches).toBe(0);
  });
});

describeWithData('the network that ships', () => {
  it('reads what the page says it reads, in another runtime too', async () => {
    const count = 1000;
    const { images, labels } = digits('t10k', count);
    const model = readFileSync(fileURLToPath(new URL('../../public/models/digits.onnx', import.meta.url)));
    expect(model.length).toBeLessThan(150_000);
    const outputs = await ortRun(model, { input: ndarray('float32', [count, 28, 28, 1], images) });
    const scores = Object.values(outputs)[0]?.data as Float32Array;
    const right = labels.filter((label, i) => bestOf(scores.subarray(10 * i, 10 * i + 10)) === label).length;
    expect(right / count).toBeGreaterThan(0.98);
    expect(shipped.accuracy).toBeGreaterThanOrEqual(0.985);
  });
});
