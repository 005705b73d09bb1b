// One step of training through every layer on Dawn: loss, weights and moving averages afterwards are those of the host. What
// feeds a layer, or where no gradient leaves it what follows, is trained too, so that gradients pass through it.

import { afterAll, beforeAll, expect, it } from 'vitest';
import type { CompileSpec, LayerSpec } from '../../src/nn/types';
import { Devices, type SharedDevice } from '../../src/worker/devices';
import { describeDawn } from '../support/dawn';
import { examples, nameOf } from '../support/layer-examples';
import { type Compared, modelAround, stepBothWays } from './layer-step';

const compile: CompileSpec = {
  optimizer: { name: 'sgd' },
  losses: [{ name: 'meanSquaredError' }],
  lossWeights: [1],
  metrics: [[{ name: 'meanAbsoluteError' }]],
};

/** A layer of which every element has a weight. */
const slopes = (name: string): LayerSpec => ({
  name,
  className: 'PReLU',
  config: { alphaInitializer: { name: 'randomUniform', config: { minval: 0.5, maxval: 1.5 } } },
});

describeDawn('a step through every layer', (dawn) => {
  let shared: SharedDevice;
  beforeAll(async () => {
    shared = await new Devices(dawn.gpu).get(undefined);
  });
  afterAll(() => shared.device.handle.destroy());

  for (const example of examples) {
    it(nameOf(example), async () => {
      const spec = modelAround(example, (i) => slopes(`before_x${i}`), slopes('after'));
      const { compared } = await stepBothWays(shared, spec, compile);
      for (const each of compared) expectNear(each);
    });
  }
});

function expectNear({ name, got, expected }: Compared): void {
  const scale = Math.max(1e-3, ...Array.from(expected.data, Math.abs));
  got.data.forEach((value, i) => {
    const difference = Math.abs(value - (expected.data[i] as number)) / scale;
    expect(difference, `${name}, element ${i}: ${value}, expected ${expected.data[i]}`).toBeLessThan(1e-3);
  });
}
