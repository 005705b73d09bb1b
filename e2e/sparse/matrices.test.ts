// Real sparse matrices (pruned networks, graphs, linear programs) times vectors and matrices: every kernel
// variant on Dawn against the reference, and the reference against the dense product.

import { readFileSync } from 'node:fs';
import { beforeAll, expect, it } from 'vitest';
import { ndarray } from '../../src/base/ndarray';
import { type Device, openDevice } from '../../src/gpu/device';
import type { OpCase } from '../../src/ir/opdef';
import { opOf, viewNode } from '../../src/ops/registry';
import { sparseCase } from '../../src/ops/sparse/cases';
import { type Csr, csrToDense } from '../../src/ops/sparse/csr';
import { checkCase, compare } from '../ops/harness';
import { dataPath, describeWithData } from '../support/data';
import { describeDawn } from '../support/dawn';
import { readMatrixMarket, readSmtx } from './matrix-files';

const pruned = [
  'rn50__random_pruning__0.98__bottleneck_1_block_group2_2_1.smtx', // 128 × 512
  'rn50__random_pruning__0.7__bottleneck_2_block_group1_1_1.smtx', // 64 × 576, a 3×3 convolution
  'rn50__magnitude_pruning__0.95__bottleneck_3_block_group2_3_1.smtx', // 512 × 128, rows of uneven length
];
const others = [
  'lagraph/lp_afiro.mtx', // 27 × 51
  'lagraph/west0067.mtx', // unsymmetric
  'lagraph/karate.mtx', // a pattern, symmetric
  'citation-graphs/cora.mtx', // 2,708 × 2,708
];

function load(name: string): Csr {
  const text = readFileSync(dataPath('sparse', ...name.split('/')), 'utf8');
  return name.endsWith('.smtx') ? readSmtx(text, (i) => Math.sin(i + 1)) : readMatrixMarket(text);
}

const files = [...pruned.map((name) => `dlmc/${name}`), ...others];

describeWithData('real sparse matrices', () => {
  it.each(files)('%s: the reference agrees with the dense product', (file) => {
    const csr = load(file);
    const n = 3;
    const b = ndarray(
      'float32',
      [csr.columns, n],
      Array.from({ length: csr.columns * n }, (_, i) => Math.cos(i)),
    );
    const dense = csrToDense(csr);
    const want = ndarray('float32', [csr.rows, n]);
    for (let row = 0; row < csr.rows; row++) {
      for (let j = 0; j < n; j++) {
        let sum = 0;
        for (let k = 0; k < csr.columns; k++) {
          sum += (dense.data[row * csr.columns + k] as number) * (b.data[k * n + j] as number);
        }
        want.data[row * n + j] = sum;
      }
    }
    expect(compare(reference(csr, b), want, 1e-6)).toBeUndefined();
  });

  describeDawn('on Dawn', (dawn) => {
    let device: Device;
    beforeAll(async () => {
      device = await openDevice(dawn.gpu);
    });
    const cases: OpCase[] = files.flatMap((file) => {
      const csr = load(file);
      return [sparseCase(`${file} times a vector`, csr, undefined), sparseCase(`${file} times 20 columns`, csr, 20)];
    });
    for (const testCase of cases) {
      it(testCase.name, async () => {
        const { failures } = await checkCase(device, 'lepton.SparseMatMul', testCase);
        expect(failures).toEqual([]);
      });
    }
  });
});

function reference(csr: Csr, b: ReturnType<typeof ndarray>) {
  const inputs = [csr.values, csr.columnIndices, csr.rowOffsets, b];
  const names = ['values', 'columnIndices', 'rowOffsets', 'b'];
  const attributes = { rows: csr.rows, columns: csr.columns };
  const node = { name: 'product', op: 'lepton.SparseMatMul', inputs: names, outputs: ['y'], attributes };
  const values = new Map(
    inputs.map(({ dtype, dims }, i) => [names[i] as string, { name: names[i] as string, dtype, dims }] as const),
  );
  return opOf(node).reference(viewNode(node, values), inputs)[0] as ReturnType<typeof ndarray>;
}
