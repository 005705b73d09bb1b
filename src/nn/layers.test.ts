// Every layer: the shape it says it has is the shape it gives, and its gradients, in training and not, are what finite
// differences say. Values are in build.test.ts.

import { describe, expect, it } from 'vitest';
import { type Example, examples, nameOf } from '../../e2e/support/layer-examples';
import { hostNetwork, oneLayer } from '../../e2e/support/network';
import { mulberry32 } from '../../e2e/support/random';
import { ndarray } from '../base/ndarray';
import { describe as describeModel } from './build';
import { layerNames } from './registry';

/** Along random directions of all variables at once. In float32: a rough check of rules that are checked by themselves. */
function checkGradients({ className, config = {}, shapes, dtype }: Example, training: boolean): void {
  const net = hostNetwork(oneLayer(className, config, shapes, dtype), 3, training);
  const { gradients, values } = net;
  const random = mulberry32(5);
  const step = 2e-3;
  const directions = [...gradients].map(([name, { data }]) => ({ name, by: Array.from(data, () => 2 * random() - 1) }));
  const at = (side: number) => {
    const moved = directions.map(({ name, by }): [string, ReturnType<typeof ndarray>] => {
      const { dims, data } = values.get(name) as ReturnType<typeof ndarray>;
      return [
        name,
        ndarray(
          'float32',
          dims,
          Array.from(data, (v, i) => v + side * step * (by[i] as number)),
        ),
      ];
    });
    return net.run(new Map([...values, ...moved])).loss;
  };
  const expected = (at(1) - at(-1)) / (2 * step);
  let [got, scale] = [0, 1];
  for (const { name, by } of directions) {
    gradients.get(name)?.data.forEach((g, i) => {
      got += g * (by[i] as number);
      scale += Math.abs(g * (by[i] as number));
    });
  }
  expect(Math.abs(got - expected) / scale, `${got}, expected ${expected}`).toBeLessThan(0.01);
}

describe('layers', () => {
  it('has an example of each, but for imported models, which have tests of their own', () => {
    const shown = [...new Set(examples.map(({ className }) => className)), 'OnnxModel'];
    expect(shown.sort()).toEqual([...layerNames()].sort());
  });

  for (const example of examples) {
    const { className, config = {}, shapes, result, parameters = 0, dtype } = example;
    it(nameOf(example), () => {
      const model = oneLayer(className, config, shapes, dtype);
      const [summary] = describeModel(model).layers;
      expect(summary?.outputShape).toEqual([null, ...result]);
      expect(summary?.parameters).toBe(parameters);
      for (const training of [false, true]) {
        const { outputs } = hostNetwork(model, 3, training).run();
        expect(outputs[0]?.dims).toEqual([3, ...result]);
        checkGradients(example, training);
      }
    });
  }
});
