// Initialisers: means, deviations and limits of many numbers, and that the seed and the name decide them all.

import { describe, expect, it } from 'vitest';
import { initialise, initializerOptions } from './initializers';
import type { Config, WeightInfo } from './types';

const info = (name: string, dims: readonly number[], config: Config = {}, weight = 'layer/kernel'): WeightInfo => ({
  name: weight,
  layer: 'layer',
  dims,
  initializer: { name, config },
  trainable: true,
  learningRateMultiplier: 1,
});

function statistics(data: Float32Array) {
  const mean = data.reduce((a, v) => a + v, 0) / data.length;
  const deviation = Math.sqrt(data.reduce((a, v) => a + (v - mean) ** 2, 0) / data.length);
  return { mean, deviation, largest: data.reduce((a, v) => Math.max(a, Math.abs(v)), 0) };
}

describe('initialisers', () => {
  // Kernels of a convolution: the fans are 3·3·40 = 360 and 3·3·60 = 540.
  const dims = [3, 3, 40, 60];
  const expected: Record<string, readonly [deviation: number, limit: number]> = {
    glorotUniform: [Math.sqrt(1 / 450), Math.sqrt(3 / 450)],
    glorotNormal: [Math.sqrt(1 / 450), 2 * (Math.sqrt(1 / 450) / 0.87962566)],
    heUniform: [Math.sqrt(2 / 360), Math.sqrt(6 / 360)],
    heNormal: [Math.sqrt(2 / 360), 2 * (Math.sqrt(2 / 360) / 0.87962566)],
    lecunUniform: [Math.sqrt(1 / 360), Math.sqrt(3 / 360)],
    lecunNormal: [Math.sqrt(1 / 360), 2 * (Math.sqrt(1 / 360) / 0.87962566)],
    randomUniform: [0.1 / Math.sqrt(12), 0.05],
    truncatedNormal: [0.05 * 0.87962566, 0.1],
    randomNormal: [0.05, 0.3],
  };
  for (const [name, [deviation, limit]] of Object.entries(expected)) {
    it(name, () => {
      const found = statistics(initialise(info(name, dims), 1));
      expect(found.deviation / deviation).toBeCloseTo(1, 1);
      expect(Math.abs(found.mean)).toBeLessThan(0.05 * deviation);
      expect(found.largest).toBeLessThanOrEqual(limit * 1.0001);
      if (name !== 'randomNormal') expect(found.largest).toBeGreaterThan(limit * 0.97);
    });
  }

  it('constants', () => {
    expect([...initialise(info('zeros', [2]), 1)]).toEqual([0, 0]);
    expect([...initialise(info('ones', [2]), 1)]).toEqual([1, 1]);
    expect([...initialise(info('constant', [2], { value: 3 }), 1)]).toEqual([3, 3]);
    expect([...initialise(info('identity', [2, 3], { gain: 2 }), 1)]).toEqual([2, 0, 0, 0, 2, 0]);
    expect([...initialise(info('unitForget', [8]), 1)]).toEqual([0, 0, 1, 1, 0, 0, 0, 0]);
  });

  for (const [rows, columns] of [
    [7, 5],
    [5, 7],
  ] as const) {
    it(`orthogonal [${rows}, ${columns}]`, () => {
      const data = initialise(info('orthogonal', [rows, columns]), 1);
      const at = (r: number, c: number) => data[r * columns + c] as number;
      const [count, length] = [Math.min(rows, columns), Math.max(rows, columns)];
      for (let i = 0; i < count; i++) {
        for (let j = 0; j < count; j++) {
          let dot = 0;
          for (let k = 0; k < length; k++) dot += rows > columns ? at(k, i) * at(k, j) : at(i, k) * at(j, k);
          expect(dot).toBeCloseTo(i === j ? 1 : 0, 5);
        }
      }
    });
  }

  it('draw the same for the same seed and weight, and something else for another', () => {
    const drawn = (seed: number, weight?: string) => [...initialise(info('heNormal', [4, 4], {}, weight), seed)];
    expect(drawn(1)).toEqual(drawn(1));
    expect(drawn(1)).not.toEqual(drawn(2));
    expect(drawn(1)).not.toEqual(drawn(1, 'other/kernel'));
  });

  it('are named in errors', () => {
    expect(Object.keys(initializerOptions)).toContain('glorotUniform');
    expect(() => initialise(info('he', [2]), 1)).toThrow('There is no initialiser "he"; there are zeros');
    expect(() => initialise(info('identity', [2]), 1)).toThrow('for matrices');
  });
});
