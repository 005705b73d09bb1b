import { expect, test } from 'vitest';
import { generator } from './generator';

test('a seed gives the numbers that NumPy draws from it', () => {
  const { uniform } = generator(0);
  const drawn = Array.from({ length: 3 }, uniform);
  expect(drawn).toEqual([0.5488135039273248, 0.7151893663724195, 0.6027633760716439]);
});

test('normals are those of NumPy too, and come in pairs', () => {
  const { normal } = generator(0);
  const drawn = Array.from({ length: 3 }, normal);
  const expected = [1.764052345967664, 0.4001572083672233, 0.9787379841057392];
  for (const [i, value] of drawn.entries()) expect(value).toBeCloseTo(expected[i] as number, 14);
});

test('a state is followed by the next', () => {
  const { uniform } = generator(5489);
  const later = Array.from({ length: 1000 }, uniform);
  expect(Math.min(...later)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...later)).toBeLessThan(1);
  expect(later.reduce((a, b) => a + b, 0) / 1000).toBeCloseTo(0.5, 1);
});

test('without a seed no two draw alike', () => {
  expect(generator(undefined).uniform()).not.toBe(generator(Number.NaN).uniform());
});
