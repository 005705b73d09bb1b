// Models whose shapes hang on data, in Node on Dawn: they must answer as the cpu backend does, and say what
// they did on the host.

import { expect, it } from 'vitest';
import { ndarray } from '../../src/base/ndarray';
import { describeDawn } from '../support/dawn';
import { openOnGpu } from '../support/engines';
import { makeModel } from '../support/onnx-writer';
import { checkLengths, checkStaged } from './check';
import { expectLengths, expectStaged, fiftyLengths } from './expectations';
import { stagedModels } from './models';

describeDawn('shapes that hang on data', (dawn) => {
  for (const staged of stagedModels) {
    it(staged.name, async () => expectStaged(staged, await checkStaged(dawn.gpu, staged.name)));
  }

  it('fifty lengths share pipelines and weights', async () => {
    expectLengths(await checkLengths(dawn.gpu, fiftyLengths));
  });

  it('strict refuses to run much on the host, and names it', async () => {
    const model = makeModel({
      nodes: [
        { op: 'Relu', inputs: ['x'], outputs: ['r'] },
        { op: 'NonZero', name: 'find', inputs: ['r'], outputs: ['y'] },
      ],
      inputs: [{ name: 'x', dtype: 'float32', shape: ['n'] }],
      outputs: [{ name: 'y', dtype: 'int64', shape: [1, 'k'] }],
    });
    const gpu = await openOnGpu(dawn.gpu, model, { strict: true });
    try {
      const { y } = await gpu.run({ x: ndarray('float32', [3], [1, -1, 2]) });
      expect(Array.from(y?.data ?? [])).toEqual([0, 2]);
      await expect(gpu.run({ x: ndarray('float32', [1 << 17]) })).rejects.toMatchObject({
        code: 'UNSUPPORTED_OPERATION',
        message: expect.stringMatching(/NonZero node "find".*131072/),
      });
    } finally {
      await gpu.dispose();
    }
  });

  it('an overflow is an error in whatever stage it shows', async () => {
    const model = makeModel({
      nodes: [
        { op: 'Mul', inputs: ['x', 'x'], outputs: ['square'] },
        { op: 'NonZero', inputs: ['x'], outputs: ['places'] },
        { op: 'Squeeze', inputs: ['places', 'axis'], outputs: ['flat'] },
        { op: 'Gather', inputs: ['square', 'flat'], outputs: ['y'] },
      ],
      inputs: [{ name: 'x', dtype: 'int64', shape: ['n'] }],
      outputs: [{ name: 'y', dtype: 'int64', shape: ['k'] }],
      initializers: [{ name: 'axis', dtype: 'int64', dims: [1], data: [0] }],
    });
    const gpu = await openOnGpu(dawn.gpu, model);
    try {
      const { y } = await gpu.run({ x: ndarray('int64', [3], [3, 0, 40_000]) });
      expect(Array.from(y?.data ?? [])).toEqual([9, 1_600_000_000]);
      await expect(gpu.run({ x: ndarray('int64', [3], [3, 0, 100_000]) })).rejects.toThrow(/"y".*64|int64.*"y"/);
    } finally {
      await gpu.dispose();
    }
  });

  it('float64 that the host answers keeps its type', async () => {
    const model = makeModel({
      nodes: [{ op: 'Compress', inputs: ['x', 'mask'], outputs: ['y'], attributes: { axis: { int: 0 } } }],
      inputs: [
        { name: 'x', dtype: 'float64', shape: [3] },
        { name: 'mask', dtype: 'bool', shape: [3] },
      ],
      outputs: [{ name: 'y', dtype: 'float64', shape: ['k'] }],
    });
    const gpu = await openOnGpu(dawn.gpu, model, { allowPrecisionLoss: true });
    try {
      const { y } = await gpu.run({ x: ndarray('float64', [3], [1, 2, 3]), mask: ndarray('bool', [3], [1, 0, 1]) });
      expect(y).toEqual(ndarray('float64', [2], [1, 3]));
    } finally {
      await gpu.dispose();
    }
  });

  it('a loop over data shares its weights, and frees what it made', async () => {
    const side = 64;
    const model = makeModel({
      nodes: [
        {
          op: 'Loop',
          inputs: ['', 'go', 'x'],
          outputs: ['y'],
          attributes: {
            body: {
              graph: {
                nodes: [
                  { op: 'MatMul', inputs: ['state', 'w'], outputs: ['next'] },
                  { op: 'ReduceMax', inputs: ['next'], outputs: ['largest'], attributes: { keepdims: { int: 0 } } },
                  { op: 'Less', inputs: ['largest', 'limit'], outputs: ['more'] },
                ],
                inputs: [
                  { name: 'i', dtype: 'int64', shape: [] },
                  { name: 'c', dtype: 'bool', shape: [] },
                  { name: 'state', dtype: 'float32', shape: [1, side] },
                ],
                outputs: [
                  { name: 'more', dtype: 'bool', shape: [] },
                  { name: 'next', dtype: 'float32', shape: [1, side] },
                ],
              },
            },
          },
        },
      ],
      inputs: [
        { name: 'x', dtype: 'float32', shape: [1, side] },
        { name: 'limit', dtype: 'float32', shape: [] },
      ],
      outputs: [{ name: 'y', dtype: 'float32', shape: [1, side] }],
      initializers: [
        { name: 'go', dtype: 'bool', dims: [], data: [1] },
        { name: 'w', dtype: 'float32', dims: [side, side], data: new Float32Array(side * side).fill(1.5 / side) },
      ],
    });
    const gpu = await openOnGpu(dawn.gpu, model);
    const alive = new Set<GPUBuffer>();
    const restore = watchBuffers(alive);
    try {
      const x = ndarray('float32', [1, side], new Float32Array(side).fill(1));
      const { y } = await gpu.run({ x, limit: ndarray('float32', [], [100_000]) });
      expect(y?.data[0]).toBeCloseTo(1.5 ** 29, -2);
      const weights = [...alive].filter((buffer) => buffer.size === 4 * side * side);
      expect(weights.length).toBeLessThanOrEqual(2);
      await gpu.run({ x, limit: ndarray('float32', [], [2]) });
      gpu.engine.dispose();
      expect(alive.size).toBe(0);
    } finally {
      restore();
      await gpu.dispose();
    }
  });
});

/** Keeps `alive` the set of buffers made and not destroyed, until the function returned is called. */
function watchBuffers(alive: Set<GPUBuffer>): () => void {
  const { createBuffer } = GPUDevice.prototype;
  const { destroy } = GPUBuffer.prototype;
  GPUDevice.prototype.createBuffer = function (descriptor) {
    const buffer = createBuffer.call(this, descriptor);
    alive.add(buffer);
    return buffer;
  };
  GPUBuffer.prototype.destroy = function () {
    alive.delete(this);
    return destroy.call(this);
  };
  return () => {
    GPUDevice.prototype.createBuffer = createBuffer;
    GPUBuffer.prototype.destroy = destroy;
  };
}
