// Random operators without a seed cannot be compared with a reference: here their numbers must be spread as they
// should be, and be others at each run of one model, but not with a seed.

import { beforeAll, expect, it } from 'vitest';
import { decode } from '../../src/base/ndarray';
import { type Device, openDevice } from '../../src/gpu/device';
import { Executable } from '../../src/gpu/executable';
import { Runner } from '../../src/gpu/runner';
import { GraphBuilder } from '../../src/ir/builder';
import type { Attributes } from '../../src/ir/graph';
import { inferNode } from '../../src/ops/registry';
import { makePlan } from '../../src/plan/make-plan';
import { describeDawn } from '../support/dawn';
import { readyToPlan } from './harness';

const count = 10_000;

describeDawn('random numbers in Node', (dawn) => {
  let device: Device;
  beforeAll(async () => {
    device = await openDevice(dawn.gpu);
  });

  /** The numbers of two runs. */
  async function draw(op: string, attributes: Attributes): Promise<[number[], number[]]> {
    const b = new GraphBuilder(op, inferNode);
    const outputs = b.add(op, [], { shape: [count], ...attributes });
    const graph = readyToPlan(b.finish(outputs), device.profile);
    const executable = await Executable.create(device, makePlan(graph, { adapter: device.profile }), () => {
      throw new Error('there are no files');
    });
    const runner = new Runner(executable);
    const run = async () => {
      const [name] = graph.outputs as [string];
      const { bytes } = await runner.run(new Map(), [{ name, location: 'cpu' }]);
      return Array.from(decode('float32', [count], bytes.get(name) as Uint8Array).data);
    };
    try {
      return [await run(), await run()];
    } finally {
      runner.dispose();
    }
  }

  function moments(numbers: readonly number[]): { mean: number; variance: number } {
    const mean = numbers.reduce((a, b) => a + b, 0) / numbers.length;
    return { mean, variance: numbers.reduce((sum, x) => sum + (x - mean) ** 2, 0) / numbers.length };
  }

  it('uniform numbers fill their range, and are others at each run', async () => {
    const [first, second] = await draw('RandomUniform', { low: 2, high: 4 });
    for (const numbers of [first, second]) {
      const { mean, variance } = moments(numbers);
      expect(mean).toBeCloseTo(3, 1);
      expect(variance).toBeCloseTo(4 / 12, 1);
      expect(Math.min(...numbers)).toBeGreaterThanOrEqual(2);
      expect(Math.max(...numbers)).toBeLessThan(4);
      expect(new Set(numbers).size).toBeGreaterThan(0.99 * count);
    }
    expect(first.filter((x, i) => x === second[i]).length).toBeLessThan(10);
  });

  it('normal numbers have their mean and variance, also behind one another', async () => {
    const [first] = await draw('RandomNormal', { mean: 1, scale: 2 });
    const { mean, variance } = moments(first);
    expect(Math.abs(mean - 1)).toBeLessThan(0.1);
    expect(Math.abs(variance - 4)).toBeLessThan(0.3);
    const neighbours = first.slice(1).map((x, i) => (x - mean) * ((first[i] as number) - mean));
    expect(Math.abs(moments(neighbours).mean)).toBeLessThan(0.2);
  });

  it('with a seed every run draws the same', async () => {
    const [first, second] = await draw('RandomNormal', { seed: 5 });
    expect(second).toEqual(first);
  });
});
