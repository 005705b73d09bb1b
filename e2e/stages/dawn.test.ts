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
});
