// Sparse matrices with more non-zeros than the adapter binds at once. Needs no GPU: plans are plain data.

import { expect, it } from 'vitest';
import { defaultLimits } from '../../src/base/adapter';
import type { DType } from '../../src/base/dtype';
import type { OpCase } from '../../src/ir/opdef';
import { sparseCase } from '../../src/ops/sparse/cases';
import { csrFromEntries } from '../../src/ops/sparse/csr';
import { makePlan } from '../../src/plan/make-plan';
import { graphOf, readyToPlan } from '../ops/harness';
import { plainAdapter } from '../support/adapter';

/** Kernels that run on an adapter which binds `most` bytes at once: all, since measuring may choose any of them. */
function kernelsOf(op: string, test: OpCase, most: number, software = true): string[] {
  const limits = { ...defaultLimits, maxStorageBuffersPerShaderStage: 10, maxStorageBufferBindingSize: most };
  const features = ['subgroups', 'shader-f16'];
  const adapter = plainAdapter({ features, limits, software });
  const graph = readyToPlan(graphOf(op, test).graph, adapter);
  const names = new Set<string>();
  let before: number;
  do {
    before = names.size;
    const pick = <C extends { kernel: { name: string } }>(found: readonly C[]): C => {
      const next = found.find(({ kernel }) => !names.has(kernel.name)) ?? (found[0] as C);
      names.add(next.kernel.name);
      return next;
    };
    const { buffers } = makePlan(graph, { adapter, pick });
    expect(Math.max(...buffers.map(({ bytes }) => bytes))).toBeLessThanOrEqual(most);
  } while (names.size > before);
  return [...names].sort();
}

/** A vector times weights of which `kept` are not zero in every row. */
function weights(rows: number, columns: number, kept: number, dtype: DType): OpCase {
  const values = Array.from({ length: rows * columns }, (_, i) => {
    const [row, column] = [Math.floor(i / columns), i % columns];
    return (7919 * column + row) % columns < kept ? 0.5 : 0;
  });
  return {
    name: 'weights',
    inputs: [
      { dims: [rows, columns], dtype, constant: true, values },
      { dims: [columns, 1], dtype },
    ],
  };
}

const isSparse = (kernel: string) => kernel.startsWith('sparse');

it.each([
  ['fewer rows than a slice has', weights(2, 398, 197, 'float32'), 4 * 2 * 398],
  ['columns that 16 bits cannot number', weights(4, 66_000, 32_990, 'float16'), 2 * 4 * 66_000],
])('what is bound dense but not sparse runs dense: %s', (_what, test, bytes) => {
  for (const software of [true, false]) {
    const kernels = kernelsOf('lepton.MatMul', test, bytes, software);
    expect(kernels.length).toBeGreaterThan(0);
    expect(kernels.filter(isSparse)).toEqual([]);
    expect(kernelsOf('lepton.MatMul', test, 16 * bytes, software).some(isSparse)).toBe(true);
  }
});

it('what is not bound at all is refused, with its size', () => {
  const csr = csrFromEntries(
    64,
    64,
    Array.from({ length: 2048 }, (_, i) => ({ row: i >> 5, column: 2 * (i & 31), value: 1 })),
    'float32',
  );
  const refused = (op: string, test: OpCase, bytes: number) => {
    const message = expect.stringContaining(
      `takes ${bytes} bytes, but this GPU binds at most ${bytes - 4} bytes at once`,
    );
    expect(() => kernelsOf(op, test, bytes - 4)).toThrow(
      expect.objectContaining({ code: 'UNSUPPORTED_MODEL', message }),
    );
    expect(kernelsOf(op, test, bytes)).not.toEqual([]);
  };
  refused('lepton.MatMul', weights(64, 64, 8, 'float32'), 4 * 64 * 64);
  const known = weights(64, 64, 8, 'float32');
  expect(() => kernelsOf('lepton.MatMul', known, 4 * 64 * 64 - 4)).toThrow(/in one piece.*sparse tensors as dense/);
  refused('lepton.SparseMatMul', sparseCase('times a vector', csr, undefined), 4 * 2048);
  refused('lepton.SparseMatMul', sparseCase('times a matrix', csr, 20), 4 * 2048);
});
