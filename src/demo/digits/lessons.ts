// Drawings that the visitor has corrected, with what they are. They are kept in this browser, and some of them are in every
// batch that is trained on later: what was learnt from them is not unlearnt.

import type { Remembered } from '../remembered';
import type { Stroke } from './ink';
import { pictureOf, pixels } from './ink';
import { random } from './random';
import { type Examples, variation } from './synthetic';

export interface Lesson {
  readonly strokes: readonly Stroke[];
  readonly digit: number;
}

const key = 'lepton-digits-lessons';
const most = 40;

export class Lessons {
  private list: readonly Lesson[];
  private drawn = 0;

  constructor(private readonly storage: Remembered) {
    this.list = read(storage);
  }

  get size(): number {
    return this.list.length;
  }

  add(lesson: Lesson): void {
    const rounded = lesson.strokes.map((stroke) => stroke.map(([x, y]) => [+x.toFixed(3), +y.toFixed(3)] as const));
    this.list = [...this.list, { ...lesson, strokes: rounded }].slice(-most);
    this.storage.setItem(key, JSON.stringify(this.list));
  }

  clear(): void {
    this.list = [];
    this.storage.removeItem(key);
  }

  /** Some of them, each as another hand would have drawn it; fewer where there are none. */
  some(count: number): Examples {
    const chance = random(this.drawn++, 17);
    return examplesOf(
      this.list.length === 0 ? [] : Array.from({ length: count }, () => chance.one(this.list)),
      ({ strokes }) => variation(strokes, chance),
    );
  }
}

/** One lesson over and over: as it was drawn, and varied. */
export function repeated(lesson: Lesson, count: number, seed: number): Examples {
  const chance = random(seed, 19);
  const list = Array.from({ length: count }, () => lesson);
  return examplesOf(list, ({ strokes }, i) => (i % 2 === 0 ? pictureOf(strokes) : variation(strokes, chance)));
}

export function joined(parts: readonly Examples[]): Examples {
  const count = parts.reduce((sum, { labels }) => sum + labels.length, 0);
  const images = new Float32Array(count * pixels);
  const labels = new Int32Array(count);
  let at = 0;
  for (const part of parts) {
    images.set(part.images, at * pixels);
    labels.set(part.labels, at);
    at += part.labels.length;
  }
  return { images, labels };
}

function examplesOf(list: readonly Lesson[], draw: (lesson: Lesson, index: number) => Float32Array): Examples {
  const images = new Float32Array(list.length * pixels);
  for (const [i, lesson] of list.entries()) images.set(draw(lesson, i), i * pixels);
  return { images, labels: Int32Array.from(list, ({ digit }) => digit) };
}

/** What a page of another version has left there counts as nothing. */
function read(storage: Remembered): readonly Lesson[] {
  try {
    const list: unknown = JSON.parse(storage.getItem(key) ?? '[]');
    return Array.isArray(list) ? (list as Lesson[]).filter(({ strokes }) => Array.isArray(strokes)) : [];
  } catch {
    return [];
  }
}
