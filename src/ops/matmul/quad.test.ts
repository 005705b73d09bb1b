// What the texts of `row` say of sizes: enough for a software adapter, and no more than pipelines can share.

import { describe, expect, it } from 'vitest';
import { plainAdapter } from '../../../e2e/support/adapter';
import { NodeView } from '../../ir/node-view';
import type { MatMulAttributes } from './problem';
import { row } from './quad';

/** The text of a row times a constant [k, n]. */
function textOf(k: number, n: number, dtype: 'float32' | 'float16' = 'float32') {
  const node = { name: 'product', op: 'lepton.MatMul', inputs: ['a', 'b'], outputs: ['y'], attributes: {} };
  const inputs = [
    { dtype, dims: [1, k], isConstant: false },
    { dtype, dims: [k, n], isConstant: true },
  ];
  const outputs = [{ dtype, dims: [1, n], isConstant: false }];
  const view = new NodeView<MatMulAttributes>(node, { transA: 0, transB: 0, alpha: 1 }, inputs, outputs);
  return row.dispatches(view, { columnQuads: 2, lanes: 16, shared: 1 }, plainAdapter()).at(-1)?.wgsl;
}

describe('row', () => {
  it('says how many blocks a large operand has, those of the edges included', () => {
    // 513 quads of inputs by 257 quads of columns.
    expect(textOf(2050, 1027)).toContain('array<Block, 131841>');
    expect(textOf(2050, 1027, 'float16')).toContain('array<Block, 131841>');
    expect(textOf(2050, 1027)).toContain('array<elem, 2050>');
  });

  it('has one text for all smaller ones', () => {
    expect(textOf(768, 769)).toBe(textOf(50, 30));
  });
});
