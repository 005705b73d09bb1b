// Every kind of pruning gives the structure it claims and the share asked for.

import { describe, expect, test } from 'vitest';
import { mulberry32 } from '../../e2e/support/random';
import type { MatrixView } from './layers';
import { checkOptions } from './options';
import { type Prunable, prune } from './prune';
import type { PruneOptions } from './types';

const random = mulberry32(7);

/** Outputs in the rows of memory, as Gemm with transB has them, or in its columns, as MatMul. */
function layer(rows: number, columns: number, outputsFirst = true, scale = 1) {
  const view: MatrixView = outputsFirst
    ? { rows, columns, rowStride: columns, columnStride: 1 }
    : { rows, columns, rowStride: 1, columnStride: rows };
  const weights = Float32Array.from({ length: rows * columns }, () => scale * (random() - 0.5));
  return { names: [`w${rows}`], view, weights };
}

type Made = Prunable;

function pruned(layers: readonly Made[], options: PruneOptions): (Float32Array | undefined)[] {
  const { prune: pruning } = checkOptions({ prune: options });
  return prune(layers, pruning as NonNullable<typeof pruning>);
}

const one = (made: Made, options: PruneOptions) => pruned([made], options)[0] as Float32Array;
const zeros = (data: ArrayLike<number>) => Array.from(data).filter((v) => v === 0).length;
const at = ({ view }: Made, data: Float32Array, r: number, c: number) =>
  data[r * view.rowStride + c * view.columnStride] as number;

describe.each([true, false])('outputs first: %s', (outputsFirst) => {
  const made = layer(22, 37, outputsFirst);

  test('unstructured: the smallest go, exactly as many as asked for', () => {
    const got = one(made, { sparsity: 0.9 });
    expect(zeros(got)).toBe(Math.round(0.9 * 22 * 37));
    const kept = Array.from(got).filter((v) => v !== 0);
    const gone = Array.from(made.weights).filter((_, i) => got[i] === 0);
    expect(Math.max(...gone.map(Math.abs))).toBeLessThanOrEqual(Math.min(...kept.map(Math.abs)));
  });

  test('balanced: as many in every row', () => {
    const got = one(made, { sparsity: 0.75, structure: 'balanced' });
    for (let r = 0; r < 22; r++) {
      expect(zeros(Array.from({ length: 37 }, (_, c) => at(made, got, r, c)))).toBe(Math.round(0.75 * 37));
    }
  });

  test.each([
    ['1x4', 1, 4],
    ['4x1', 4, 1],
    ['4x4', 4, 4],
  ] as const)('blocks %s are zero or whole', (structure, height, width) => {
    const got = one(made, { sparsity: 0.8, structure });
    for (let r = 0; r < 22; r += height) {
      for (let c = 0; c < 37; c += width) {
        const block: number[] = [];
        for (let i = r; i < Math.min(22, r + height); i++) {
          for (let k = c; k < Math.min(37, c + width); k++) block.push(at(made, got, i, k));
        }
        expect([0, block.length]).toContain(zeros(block));
      }
    }
    expect(Math.abs(zeros(got) - 0.8 * 22 * 37)).toBeLessThanOrEqual(height * width);
  });

  test('2:4 keeps the two largest of every four inputs', () => {
    const got = one(made, { structure: '2:4' });
    for (let r = 0; r < 22; r++) {
      for (let c = 0; c < 37; c += 4) {
        const group = Array.from({ length: Math.min(4, 37 - c) }, (_, i) => at(made, got, r, c + i));
        const own = group.map((_, i) => Math.abs(at(made, made.weights, r, c + i))).sort((a, b) => b - a);
        const kept = group.filter((v) => v !== 0).map(Math.abs);
        expect(kept.sort((a, b) => b - a)).toEqual(own.slice(0, 2));
      }
    }
  });
});

test('globally, the layer of small weights loses more', () => {
  const [small, large] = [layer(30, 40, true, 0.1), layer(20, 50)];
  const [a, b] = pruned([small, large], { sparsity: 0.6 }) as [Float32Array, Float32Array];
  expect(zeros(a) + zeros(b)).toBe(Math.round(0.6 * 2200));
  expect(zeros(a) / 1200).toBeGreaterThan(0.95);
});

test('no layer goes altogether', () => {
  const layers = [layer(12, 20, true, 1e-3), layer(20, 50), layer(1, 1, true, 1e-6)];
  const kept = (options: PruneOptions) => (pruned(layers, options) as Float32Array[]).map((w) => w.length - zeros(w));
  const best = Math.max(...(layers[0] as Made).weights.map(Math.abs));
  // The share is met by the others: 621 of 1241 weights.
  expect(kept({ sparsity: 0.5 })).toEqual([1, 618, 1]);
  const [first] = pruned(layers, { sparsity: 0.9 }) as [Float32Array];
  expect(
    Array.from(first)
      .filter((w) => w !== 0)
      .map(Math.abs),
  ).toEqual([best]);
  expect(kept({ sparsity: 0.9, structure: '4x4' })[0]).toBe(16);
  expect(kept({ sparsity: 0.999999, scope: 'layer' })).toEqual([1, 1, 1]);
  expect(kept({ sparsity: 0.99, structure: 'balanced' })).toEqual([12, 20, 1]);
  const scores = layers.map((one, i) => ({ ...one, scores: one.weights.map((w) => (i === 1 ? Math.abs(w) : 0)) }));
  const byScores = prune(scores, checkOptions({ prune: 0.9 }).prune as never) as Float32Array[];
  expect(byScores.map((w) => w.length - zeros(w))).toEqual([1, 122, 1]);
});

test('each layer by itself, and by name', () => {
  const layers = [layer(30, 40, true, 0.1), layer(20, 50)];
  const each = pruned(layers, { sparsity: 0.6, scope: 'layer' }) as Float32Array[];
  expect(each.map(zeros)).toEqual([720, 600]);
  const [, named] = pruned(layers, { sparsity: { w20: 0.5 } });
  expect(zeros(named as Float32Array)).toBe(500);
  expect(pruned(layers, { sparsity: { w20: 0.5 } })[0]).toBeUndefined();
});

test('equal weights: the first go; zeros stay; scores of their own decide', () => {
  const made = { ...layer(4, 4), weights: new Float32Array(16).fill(1) };
  expect(Array.from(one(made, { sparsity: 0.25 }))).toEqual([...Array(4).fill(0), ...Array(12).fill(1)]);
  const half = { ...made, weights: one(made, { sparsity: 0.5 }) };
  expect(one(half, { sparsity: 0.5 })).toEqual(half.weights);
  const scores = Float32Array.from({ length: 16 }, (_, i) => 16 - i);
  const [got] = prune([{ ...made, scores }], checkOptions({ prune: 0.5 }).prune as never);
  expect(zeros((got as Float32Array).subarray(8))).toBe(8);
});

test('mistakes are told by name', () => {
  const problem = (options: object) => {
    try {
      checkOptions(options);
      return undefined;
    } catch (error) {
      return (error as Error).message;
    }
  };
  expect(problem({})).toMatch(/"prune", "quantize" or both/);
  expect(problem({ prune: 1 })).toMatch(/from 0 to below 1, but is 1/);
  expect(problem({ prune: null })).toBe('compress(): prune must be a share or an object, but is null.');
  expect(problem({ prune: '0.9' })).toBe('compress(): prune must be a share or an object, but is "0.9".');
  expect(problem({ prune: {} })).toMatch(/sparsity must be a share from 0 to below 1, but is undefined\.$/);
  expect(problem({ prune: { sparsity: {} } })).toMatch(/sparsity must name a layer/);
  expect(problem({ prune: { share: 0.5 } })).toMatch(/no option "prune.share"/);
  expect(problem({ quantize: null })).toMatch(/quantize must be a type or an object, but is null/);
  expect(problem({ prune: { sparsity: 0.5, structure: '2:4' } })).toMatch(/the structure "2:4" fixes it/);
  expect(problem({ prune: { structure: '4:4' } })).toMatch(/fewer than all/);
  expect(problem({ prune: { sparsity: 0.5, structure: '3x3' } })).toMatch(/is "3x3"/);
  expect(problem({ prune: { sparsity: 0.5, structure: 'balanced', scope: 'global' } })).toMatch(/does not go with/);
  expect(problem({ prune: 0.5, quantise: 'int8' })).toMatch(/no option "quantise"/);
  expect(problem({ quantize: 'int3' })).toMatch(/is "int3"/);
  expect(problem({ quantize: { type: 'int8', blockSize: 32 } })).toMatch(/are for "int4"/);
  expect(problem({ prune: 0.5, skip: 'first' })).toMatch(/skip must be a list/);
});
