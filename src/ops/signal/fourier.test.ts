// The host's transform against the defining sum, and Bluestein's constants against the host's transform.

import { expect, it } from 'vitest';
import { chirpOf, radicesOf, transform, turnsOf } from './fourier';

const signalOf = (length: number) => Float64Array.from({ length: 2 * length }, (_, i) => Math.sin(i * i + 1));

function bySum(signal: Float64Array, inverse: boolean): number[] {
  const length = signal.length / 2;
  const out: number[] = [];
  for (let k = 0; k < length; k++) {
    let [re, im] = [0, 0];
    for (let n = 0; n < length; n++) {
      const angle = ((inverse ? 2 : -2) * Math.PI * k * n) / length;
      const [a, b] = [signal[2 * n] as number, signal[2 * n + 1] as number];
      re += a * Math.cos(angle) - b * Math.sin(angle);
      im += a * Math.sin(angle) + b * Math.cos(angle);
    }
    out.push(re, im);
  }
  return out;
}

const product = (a: Float64Array, b: Float64Array) =>
  a.map((_, i) => {
    const at = i - (i % 2);
    const [c, d, e, f] = [a[at], a[at + 1], b[at], b[at + 1]] as [number, number, number, number];
    return i % 2 === 0 ? c * e - d * f : c * f + d * e;
  });

it.each([1, 2, 12, 45, 64, 127])('transforms %i numbers as the sum says', (length) => {
  const signal = signalOf(length);
  for (const inverse of [false, true]) {
    const got = transform(signal, turnsOf(length, inverse));
    bySum(signal, inverse).forEach((v, i) => {
      expect(got[i]).toBeCloseTo(v, 9);
    });
  }
});

it('merges small factors', () => {
  expect(radicesOf(400, 8)).toEqual([8, 2, 5, 5]);
  expect(radicesOf(1024, 16)).toEqual([16, 16, 4]);
  expect(radicesOf(1, 8)).toEqual([1]);
});

it('transforms 13 numbers by way of a chirp', () => {
  const signal = signalOf(13);
  const { padded, chirp, spectrum } = chirpOf(13, false);
  const bent = new Float64Array(2 * padded);
  bent.set(product(signal, chirp));
  const convolved = transform(product(transform(bent, turnsOf(padded, false)), spectrum), turnsOf(padded, true));
  const got = product(convolved.slice(0, 26), chirp).map((v) => v / padded);
  bySum(signal, false).forEach((v, i) => {
    expect(got[i]).toBeCloseTo(v, 9);
  });
});
