// Sparse models in a page: weights that the file has as sparse tensors, and dense ones that are mostly zeros, stay sparse on
// the GPU where that is faster, give what the host computes, and come back on the second visit without being read again.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { type NDArray, ndarray } from '../../src/base/ndarray';
import { sizeOf } from '../../src/base/shape';
import { describeBrowsers, type TestPage } from '../support/browsers';
import { openOnHost } from '../support/engines';
import { expectClose } from '../support/expect-close';
import { loadAndRun, startLeptonServer } from '../support/lepton-page';
import { makeModel, sparseTensorOf, tensorOf } from '../support/onnx-writer';
import { mulberry32 } from '../support/random';
import type { TestServer } from '../support/server';

declare const lepton: typeof import('../../src/api');

const random = mulberry32(5);

function drawn(dims: readonly number[], zeros = 0): NDArray {
  const data = Float32Array.from({ length: sizeOf(dims) }, () => (random() < zeros ? 0 : random() - 0.5));
  return ndarray('float32', dims, data);
}

/** [1, 32, 14, 14] → [1, 300]: a convolution and two products, two of three as sparse tensors. */
const network = makeModel({
  nodes: [
    {
      op: 'Conv',
      name: 'conv',
      inputs: ['x', 'w0', 'b0'],
      outputs: ['c'],
      attributes: { kernel_shape: { ints: [3, 3] }, pads: { ints: [1, 1, 1, 1] } },
    },
    { op: 'Relu', inputs: ['c'], outputs: ['r'] },
    { op: 'GlobalAveragePool', inputs: ['r'], outputs: ['p'] },
    { op: 'Flatten', inputs: ['p'], outputs: ['f'] },
    { op: 'Gemm', name: 'first', inputs: ['f', 'w1', 'b1'], outputs: ['g'], attributes: { transB: { int: 1 } } },
    { op: 'Relu', inputs: ['g'], outputs: ['h'] },
    { op: 'MatMul', name: 'second', inputs: ['h', 'w2'], outputs: ['y'] },
  ],
  inputs: [{ name: 'x', dtype: 'float32', shape: [1, 32, 14, 14] }],
  outputs: [{ name: 'y', dtype: 'float32', shape: [1, 300] }],
  initializers: [tensorOf('b0', drawn([128])), tensorOf('b1', drawn([1024])), tensorOf('w2', drawn([1024, 300], 0.95))],
  sparseInitializers: [
    sparseTensorOf('w0', drawn([128, 32, 3, 3], 0.95)),
    sparseTensorOf('w1', drawn([1024, 128], 0.95)),
  ],
});
const denseBytes = 4 * (128 * 32 * 9 + 1024 * 128 + 1024 * 300);

describeBrowsers('sparse weights', (browser) => {
  let server: TestServer;
  let page: TestPage;
  let want: NDArray | undefined;
  const x = drawn([1, 32, 14, 14]);
  beforeAll(async () => {
    server = await startLeptonServer();
    server.put('/sparse.onnx', { bytes: network });
    page = await browser.newPage();
    await page.goto(`${server.url}/`);
    const host = await openOnHost(network);
    want = (await host.run({ x })).y;
    await host.dispose();
  });
  afterAll(async () => {
    await page.close();
    await server.close();
  });

  test('give what the host computes, from a tenth of the memory', async () => {
    const { outputs, load } = await loadAndRun(page, '/sparse.onnx', { x });
    expectClose(outputs.y, want, 1e-4);
    expect(load.memory?.weightBytes).toBeLessThan(0.2 * denseBytes);
  });

  test('are computed by sparse kernels, as the profile says', async () => {
    const kernels = await page.evaluate(async () => {
      const model = await lepton.load('/sparse.onnx');
      const x = new lepton.Tensor('float32', new Float32Array(32 * 196).fill(0.1), [1, 32, 14, 14]);
      const { nodes } = await model.profile({ x });
      await model.dispose();
      return nodes.flatMap(({ name, kernel }) => (/first|second/.test(name) ? [kernel] : []));
    });
    expect(kernels).toHaveLength(2);
    for (const kernel of kernels) expect(kernel).toMatch(/^sparse/);
  });

  test('come back on the next visit', async () => {
    await loadAndRun(page, '/sparse.onnx', { x });
    await page.reload();
    const { outputs, load } = await loadAndRun(page, '/sparse.onnx', { x });
    expect(load.origin).toBe('store');
    expectClose(outputs.y, want, 1e-4);
  });
});
