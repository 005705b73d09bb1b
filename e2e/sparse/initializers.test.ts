// Weights that a file has as sparse tensors, of operators that have no sparse kernels for them: they run dense, to the numbers
// of ONNX Runtime.

import { expect, test } from 'vitest';
import { type NDArray, ndarray } from '../../src/base/ndarray';
import { sizeOf } from '../../src/base/shape';
import { describeDawn } from '../support/dawn';
import { openOnGpu } from '../support/engines';
import { expectClose } from '../support/expect-close';
import { type AttributeSpec, makeModel, sparseTensorOf, tensorOf } from '../support/onnx-writer';
import { ortRun } from '../support/oracle';
import { mulberry32 } from '../support/random';

const random = mulberry32(9);

function drawn(dims: readonly number[], zeros = 0): NDArray {
  const data = Float32Array.from({ length: sizeOf(dims) }, () => (random() < zeros ? 0 : random() - 0.5));
  return ndarray('float32', dims, data);
}

interface Layer {
  readonly name: string;
  readonly op: 'Conv' | 'ConvTranspose';
  readonly input: readonly number[];
  readonly weights: readonly number[];
  readonly attributes: Readonly<Record<string, AttributeSpec>>;
}

const layers: readonly Layer[] = [
  {
    name: 'a convolution of three axes',
    op: 'Conv',
    input: [1, 3, 5, 6, 7],
    weights: [4, 3, 3, 2, 3],
    attributes: { strides: { ints: [1, 2, 1] }, pads: { ints: [1, 0, 1, 1, 1, 0] } },
  },
  {
    name: 'a transposed convolution',
    op: 'ConvTranspose',
    input: [2, 6, 5, 7],
    weights: [6, 5, 3, 3],
    attributes: { strides: { ints: [2, 2] }, pads: { ints: [1, 0, 0, 1] } },
  },
  {
    name: 'a convolution in groups',
    op: 'Conv',
    input: [1, 8, 9, 10],
    weights: [12, 2, 3, 3],
    attributes: { group: { int: 4 }, pads: { ints: [1, 1, 1, 1] } },
  },
];

describeDawn('sparse weights', (dawn) => {
  test.each(layers)('of $name', async ({ op, input, weights, attributes }) => {
    const [w, b] = [drawn(weights, 0.9), drawn([op === 'Conv' ? (weights[0] as number) : (weights[1] as number)])];
    const shared = {
      nodes: [{ op, name: 'layer', inputs: ['x', 'w', 'b'], outputs: ['y'], attributes }],
      inputs: [{ name: 'x', dtype: 'float32' as const, shape: input }],
      outputs: [{ name: 'y', dtype: 'float32' as const }],
    };
    const feeds = { x: drawn(input) };
    const dense = makeModel({ ...shared, initializers: [tensorOf('w', w), tensorOf('b', b)] });
    const want = (await ortRun(dense, feeds)).y;
    const sparse = { initializers: [tensorOf('b', b)], sparseInitializers: [sparseTensorOf('w', w)] };
    const model = await openOnGpu(dawn.gpu, makeModel({ ...shared, ...sparse }));
    try {
      expectClose((await model.run(feeds)).y, want, 1e-5);
      const { nodes } = await model.profile(feeds);
      expect(nodes.map(({ kernel }) => kernel)).not.toContain('host');
    } finally {
      await model.dispose();
    }
  });
});
