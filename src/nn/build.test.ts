// Models from plain data: the values of layers against loops written from Keras's definitions, what random layers draw, what
// is shared, frozen or penalised, and the errors.

import { expect, describe as group, it } from 'vitest';
import { chain, hostNetwork, oneLayer } from '../../e2e/support/network';
import { GraphBuilder } from '../ir/builder';
import { inferNode } from '../ops/registry';
import { describe, forward } from './build';
import type { ModelSpec } from './types';

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const range = (n: number) => Array.from({ length: n }, (_, i) => i);
/** Numbers of no pattern, the same each time. */
const some = (n: number, scale = 1) => range(n).map((i) => scale * Math.sin(12.9898 * i + 1));

group('values', () => {
  it('of a convolution: padding, strides and the order of axes are TensorFlow’s', () => {
    const [h, w, c, filters, k, stride] = [5, 6, 2, 3, 3, 2];
    const [x, kernel, bias] = [some(h * w * c), some(k * k * c * filters, 0.5), some(filters)];
    const config = { filters, kernelSize: k, strides: stride, padding: 'same' };
    const { run } = hostNetwork(oneLayer('Conv2D', config, [[h, w, c]]), 1, false, {
      x0: x,
      'layer/kernel': kernel,
      'layer/bias': bias,
    });
    // 5 in steps of 2 makes 3 places of 3: one row before and one behind; 6 makes 3 places: none before, one behind.
    const [before, left] = [1, 0];
    const expected = range(3).flatMap((i) =>
      range(3).flatMap((j) =>
        range(filters).map((o) => {
          let sum = bias[o] as number;
          for (let p = 0; p < k; p++)
            for (let q = 0; q < k; q++)
              for (let m = 0; m < c; m++) {
                const [row, column] = [i * stride + p - before, j * stride + q - left];
                if (row < 0 || row >= h || column < 0 || column >= w) continue;
                const at = (p * k + q) * c + m;
                sum += (x[(row * w + column) * c + m] as number) * (kernel[at * filters + o] as number);
              }
          return sum;
        }),
      ),
    );
    expectNear(run().outputs[0]?.data, expected);
  });

  it('of a depthwise convolution: the results of one channel stand together', () => {
    const kernel = [1, 10, 100, 1000];
    const config = { kernelSize: 1, depthMultiplier: 2, useBias: false };
    const given = { x0: [1, 2], 'layer/kernel': kernel };
    const { run } = hostNetwork(oneLayer('DepthwiseConv2D', config, [[1, 1, 2]]), 1, false, given);
    expectNear(run().outputs[0]?.data, [1, 10, 200, 2000]);
  });

  it('of a transposed convolution', () => {
    const config = { filters: 1, kernelSize: 3, strides: 2, useBias: false, padding: 'same' };
    const given = { x0: [1, 2, 3, 4], 'layer/kernel': range(9).map((i) => i + 1) };
    const { run } = hostNetwork(oneLayer('Conv2DTranspose', config, [[2, 2, 1]]), 1, false, given);
    // Each input spreads the kernel from twice its own place on; the last row and column are cut off.
    expectNear(run().outputs[0]?.data, [1, 2, 5, 4, 4, 5, 14, 10, 10, 14, 36, 24, 12, 15, 34, 20]);
  });

  it('of poolings: padding counts for nothing', () => {
    const given = { x0: [-1, -2, -3] };
    const pooled = (className: string) =>
      hostNetwork(oneLayer(className, { padding: 'same' }, [[3, 1]]), 1, false, given).run().outputs[0]?.data;
    expectNear(pooled('MaxPooling1D'), [-1, -3]);
    expectNear(pooled('AveragePooling1D'), [-1.5, -3]);
  });

  const recurrent = { steps: 4, features: 2, units: 3 };
  const { steps, features, units } = recurrent;
  const x = some(steps * features);
  const product = (input: readonly number[], weight: readonly number[], columns: number) =>
    range(columns).map((j) => input.reduce((sum, v, i) => sum + v * (weight[i * columns + j] as number), 0));
  const rowOf = (t: number) => x.slice(t * features, (t + 1) * features);
  type Step = (input: readonly number[], h: number[], c: number[]) => void;
  const walk = (order: readonly number[], step: Step) => {
    const [h, c] = [new Array<number>(units).fill(0), new Array<number>(units).fill(0)];
    return order.map((t) => {
      step(rowOf(t), h, c);
      return [...h];
    });
  };

  const lstmStep =
    (kernel: number[], recurrentKernel: number[], bias: number[]): Step =>
    (input, h, c) => {
      const [a, r] = [product(input, kernel, 4 * units), product(h, recurrentKernel, 4 * units)];
      const z = a.map((v, i) => v + (r[i] as number) + (bias[i] as number));
      const gate = (g: number, u: number) => z[g * units + u] as number;
      for (let u = 0; u < units; u++) {
        c[u] = sigmoid(gate(1, u)) * (c[u] as number) + sigmoid(gate(0, u)) * Math.tanh(gate(2, u));
        h[u] = sigmoid(gate(3, u)) * Math.tanh(c[u] as number);
      }
    };
  const lstmWeights = (shift: number) => ({
    kernel: some(features * 4 * units + shift).slice(shift),
    recurrentKernel: some(units * 4 * units + shift, 0.7).slice(shift),
    bias: some(4 * units + shift, 0.3).slice(shift),
  });
  const named = (prefix: string, weights: Record<string, number[]>) =>
    Object.fromEntries(Object.entries(weights).map(([name, values]) => [`layer/${prefix}${name}`, values]));

  it('of an LSTM: gates in Keras’s order; backwards the steps come out in the order they were taken', () => {
    const w = lstmWeights(0);
    const step = lstmStep(w.kernel, w.recurrentKernel, w.bias);
    const given = { x0: x, ...named('', w) };
    const values = (config: object) =>
      hostNetwork(oneLayer('LSTM', { units, ...config }, [[steps, features]]), 1, false, given).run().outputs[0]?.data;
    const [forwards, backwards] = [walk(range(steps), step), walk(range(steps).reverse(), step)];
    expectNear(values({}), forwards.at(-1) as number[]);
    expectNear(values({ returnSequences: true }), forwards.flat());
    expectNear(values({ goBackwards: true }), backwards.at(-1) as number[]);
    expectNear(values({ returnSequences: true, goBackwards: true }), backwards.flat());
  });

  it('of an LSTM in both directions', () => {
    const [one, other] = [lstmWeights(0), lstmWeights(5)];
    const given = { x0: x, ...named('forward/', one), ...named('backward/', other) };
    const values = (config: object, mergeMode: string) => {
      const spec = oneLayer(
        'Bidirectional',
        { layer: { className: 'LSTM', config: { units, ...config } }, mergeMode },
        [[steps, features]],
      );
      return hostNetwork(spec, 1, false, given).run().outputs[0]?.data;
    };
    const f = walk(range(steps), lstmStep(one.kernel, one.recurrentKernel, one.bias));
    const b = walk(range(steps).reverse(), lstmStep(other.kernel, other.recurrentKernel, other.bias));
    expectNear(values({}, 'concat'), [...(f.at(-1) as number[]), ...(b.at(-1) as number[])]);
    const inTime = b.reverse();
    expectNear(
      values({ returnSequences: true }, 'sum'),
      f.flatMap((row, t) => row.map((v, u) => v + (inTime[t]?.[u] as number))),
    );
  });

  for (const resetAfter of [true, false]) {
    it(`of a GRU that resets ${resetAfter ? 'after' : 'before'} the product`, () => {
      const kernel = some(features * 3 * units);
      const recurrentKernel = some(units * 3 * units, 0.7);
      const bias = some((resetAfter ? 6 : 3) * units, 0.3);
      const step: Step = (input, h) => {
        const a = product(input, kernel, 3 * units).map((v, i) => v + (bias[i] as number));
        const r = product(h, recurrentKernel, 3 * units).map(
          (v, i) => v + (resetAfter ? (bias[3 * units + i] as number) : 0),
        );
        const gate = (g: number, u: number) => sigmoid((a[g * units + u] as number) + (r[g * units + u] as number));
        const resets = range(units).map((u) => gate(1, u));
        const inner = product(
          h.map((v, u) => v * (resets[u] as number)),
          recurrentKernel,
          3 * units,
        );
        const next = range(units).map((u) => {
          const at = 2 * units + u;
          const from = resetAfter ? (resets[u] as number) * (r[at] as number) : (inner[at] as number);
          const z = gate(0, u);
          return z * (h[u] as number) + (1 - z) * Math.tanh((a[at] as number) + from);
        });
        h.splice(0, units, ...next);
      };
      const given = { x0: x, ...named('', { kernel, recurrentKernel, bias }) };
      const { run } = hostNetwork(oneLayer('GRU', { units, resetAfter }, [[steps, features]]), 1, false, given);
      expectNear(run().outputs[0]?.data, walk(range(steps), step).at(-1) as number[]);
    });
  }

  it('of a batch normalisation: statistics of the batch in training, moving averages else', () => {
    const spec = oneLayer('BatchNormalization', { momentum: 0.9, epsilon: 0 }, [[2]]);
    const given = { x0: [1, 10, 3, 30], 'layer/movingVariance': [4, 100], 'layer/movingMean': [1, 0] };
    const inTraining = hostNetwork(spec, 2, true, { ...given, 'layer/beta': [0, 0], 'layer/gamma': [1, 2] });
    const { outputs, updates } = inTraining.run();
    expectNear(outputs[0]?.data, [-1, -2, 1, 2]);
    expect(inTraining.made.updates.map(({ weight }) => weight)).toEqual(['layer/movingMean', 'layer/movingVariance']);
    expectNear(updates[0]?.data, [1.1, 2]);
    expectNear(updates[1]?.data, [3.7, 100]);
    const else_ = hostNetwork(spec, 2, false, { ...given, 'layer/beta': [0, 0], 'layer/gamma': [1, 2] });
    expectNear(else_.run().outputs[0]?.data, [0, 2, 1, 6]);
    expect(else_.made.updates).toEqual([]);
  });

  it('of attention with a causal mask: the first step sees itself alone', () => {
    const spec = oneLayer('MultiHeadAttention', { numHeads: 1, keyDim: 2, useBias: false, useCausalMask: true }, [
      [2, 2],
      [2, 2],
    ]);
    const identity = [1, 0, 0, 1];
    const x0 = [1, 2, 3, -1];
    const given = {
      ...{ x0, x1: x0, 'layer/query/kernel': identity, 'layer/key/kernel': identity },
      ...{ 'layer/value/kernel': identity, 'layer/output/kernel': identity },
    };
    const share = sigmoid((10 - 1) / Math.sqrt(2));
    const expected = [1, 2, 1 + 2 * share, 2 - 3 * share];
    expectNear(hostNetwork(spec, 1, false, given).run().outputs[0]?.data, expected);
  });
});

group('random layers', () => {
  const dropped = (seed: number, training = true) => {
    const spec = chain(
      [1000],
      [
        ['Dropout', { rate: 0.25 }],
        ['Dropout', { rate: 0.5 }],
      ],
    );
    const ones = new Array<number>(1000).fill(1);
    return [...(hostNetwork(spec, 1, training, { x0: ones }, seed).run().outputs[0]?.data ?? [])];
  };

  it('drops the share that was asked for, scales up the rest, and draws for each layer anew', () => {
    const values = dropped(1);
    const kept = values.filter((v) => v !== 0);
    expect(kept.every((v) => Math.abs(v - 1 / (0.75 * 0.5)) < 1e-5)).toBe(true);
    expect(kept.length / values.length).toBeCloseTo(0.375, 1);
  });

  it('draws the same for the same seed, something else for another, and nothing outside training', () => {
    expect(dropped(1)).toEqual(dropped(1));
    expect(dropped(1)).not.toEqual(dropped(2));
    expect(dropped(1, false)).toEqual(new Array(1000).fill(1));
  });

  it('mirrors each sample or leaves it', () => {
    const spec = oneLayer('RandomFlip', { mode: 'horizontal' }, [[1, 3, 1]]);
    const x0 = range(40).flatMap(() => [1, 2, 3]);
    const values = [...(hostNetwork(spec, 40, true, { x0 }).run().outputs[0]?.data ?? [])];
    const rows = range(40).map((i) => values.slice(3 * i, 3 * i + 3).join());
    expect([...new Set(rows)].sort()).toEqual(['1,2,3', '3,2,1']);
  });

  it('leaves images alone that are to be changed by nothing', () => {
    const x0 = some(4 * 5 * 2);
    for (const [className, config] of [
      ['RandomTranslation', { heightFactor: 0, widthFactor: 0 }],
      ['RandomRotation', { factor: 0 }],
      ['RandomZoom', { heightFactor: 0 }],
    ] as const) {
      expectNear(hostNetwork(oneLayer(className, config, [[4, 5, 2]]), 1, true, { x0 }).run().outputs[0]?.data, x0);
    }
  });
});

group('models', () => {
  it('keep convolutions, poolings and normalisations in one order of axes', () => {
    const spec = chain(
      [9, 9, 1],
      [
        ['Conv2D', { filters: 4, kernelSize: 3, activation: 'relu' }],
        ['BatchNormalization', {}],
        ['MaxPooling2D', {}],
        ['Dropout', { rate: 0.5 }],
        ['Conv2D', { filters: 4, kernelSize: 2 }],
        ['GlobalAveragePooling2D', {}],
        ['Dense', { units: 2 }],
      ],
    );
    const b = new GraphBuilder('model', inferNode);
    b.input('x', 'float32', [2, 9, 9, 1]);
    b.input('seed', 'int32', [1]);
    for (const { name, dims } of describe(spec).weights) b.input(name, 'float32', dims);
    const { outputs } = forward(spec, b, { inputs: ['x'], weights: (name) => name, training: true, seed: 'seed' });
    const turned = b.finish(outputs).nodes.filter(({ op }) => op === 'Transpose');
    expect(turned.map(({ inputs }) => inputs[0])).toEqual(['l0/kernel', 'l4/kernel']);
  });

  const shared: ModelSpec = {
    name: 'siamese',
    inputs: [
      { name: 'a', shape: [3], dtype: 'float32' },
      { name: 'b', shape: [3], dtype: 'float32' },
    ],
    layers: [
      { name: 'dense', className: 'Dense', config: { units: 2 }, trainable: false, learningRateMultiplier: 0.5 },
      { name: 'add', className: 'Add', config: {} },
    ],
    calls: [
      { layer: 'dense', inputs: ['a'], output: 'u' },
      { layer: 'dense', inputs: ['b'], output: 'v' },
      { layer: 'add', inputs: ['u', 'v'], output: 'sum' },
    ],
    outputs: ['sum'],
  };

  it('share the weights of a layer that is applied twice, and count them once', () => {
    const { weights, layers } = describe(shared);
    expect(weights.map(({ name, dims }) => [name, dims])).toEqual([
      ['dense/kernel', [3, 2]],
      ['dense/bias', [2]],
    ]);
    expect(weights.every((w) => !w.trainable && w.learningRateMultiplier === 0.5)).toBe(true);
    expect(layers.map(({ parameters }) => parameters)).toEqual([8, 0, 0]);
    const given = { a: [1, 0, 0], b: [0, 1, 0], 'dense/kernel': [1, 2, 3, 4, 5, 6], 'dense/bias': [10, 20] };
    expectNear(hostNetwork(shared, 1, false, given).run().outputs[0]?.data, [24, 46]);
  });

  it('leave the averages of a frozen batch normalisation', () => {
    const spec = oneLayer('BatchNormalization', {}, [[2]]);
    const frozen = { ...spec, layers: spec.layers.map((layer) => ({ ...layer, trainable: false })) };
    const given = { x0: [1, 2, 3, 4], 'layer/beta': [0, 0] };
    const { made, run } = hostNetwork(frozen, 2, true, given);
    expect(made.updates).toEqual([]);
    expectNear(run().outputs[0]?.data, hostNetwork(frozen, 2, false, given).run().outputs[0]?.data as never);
  });

  it('drop elements in layers that are frozen, as Keras does', () => {
    const spec = oneLayer('Dropout', { rate: 0.5 }, [[100]]);
    const frozen = { ...spec, layers: spec.layers.map((layer) => ({ ...layer, trainable: false })) };
    expect(hostNetwork(frozen, 1, true).run().outputs[0]?.data).toContain(0);
  });

  it('add penalties for weights that are regularised', () => {
    const config = { units: 1, useBias: false, kernelRegularizer: { name: 'l1l2', config: { l1: 0.5, l2: 2 } } };
    const weights = { 'layer/kernel': [1, -2], x0: [0, 0] };
    const { run, made } = hostNetwork(oneLayer('Dense', config, [[2]]), 1, true, weights);
    expect(made.penalties).toHaveLength(1);
    expect(run().loss).toBeCloseTo(0.5 * 3 + 2 * 5, 5);
  });

  it('say what their softmax was made from', () => {
    const { made } = hostNetwork(oneLayer('Dense', { units: 3, activation: 'softmax' }, [[2]]), 1, false);
    expect(made.logits).toMatchObject([{ activation: 'softmax' }]);
    expect(hostNetwork(oneLayer('Dense', { units: 3 }, [[2]]), 1, false).made.logits).toEqual([undefined]);
  });
});

group('mistakes', () => {
  const messageOf = (spec: ModelSpec): string => {
    try {
      describe(spec);
    } catch (error) {
      expect(error).toMatchObject({ code: 'INVALID_ARGUMENT' });
      return (error as Error).message;
    }
    return 'nothing';
  };
  const one = (className: string, config: object, ...shapes: (number | null)[][]) =>
    messageOf(oneLayer(className, config as Record<string, never>, shapes));

  it('name the layer, what it got and what it needs', () => {
    expect(one('Conv2D', { filters: 1, kernelSize: 3 }, [28, 28])).toBe(
      'Layer "layer" (Conv2D) needs an input [batch, height, width, channels], but got [null, 28, 28].',
    );
    expect(one('Conv2D', { filters: 1, kernelSize: 9 }, [5, 5, 1])).toContain('would give [null, -3, -3, 1]');
    expect(one('Dense', { units: 1 }, [null])).toContain('needs to know the size of axis 1');
    expect(one('Add', {}, [3], [4])).toContain('needs inputs of one shape, but got [null, 3], [null, 4]');
    expect(one('Add', {}, [3])).toContain('takes 2 or more inputs');
    expect(one('Reshape', { targetShape: [5] }, [6])).toContain('makes [5] of each sample');
    expect(one('Permute', { dims: [1, 3] }, [6, 2])).toContain('orders the axes [1, 3]');
  });

  it('name the option, what it is and what it should be', () => {
    expect(one('Dense', {}, [3])).toBe('Layer "layer" (Dense) lacks its option units: a whole number from 1.');
    expect(one('Dense', { units: 2.5 }, [3])).toContain('units = 2.5; expected a whole number from 1');
    expect(one('Dense', { units: 2, activation: 'rleu' }, [3])).toContain(
      'activation = "rleu"; expected one of "linear"',
    );
    expect(one('Dense', { units: 2, size: 3 }, [3])).toContain('has no option "size"; it has units');
    expect(one('Dense', { units: 2, kernelInitializer: 'he' }, [3])).toContain('expected one of zeros, ones');
    expect(one('Dropout', { rate: 2 }, [3])).toContain('rate = 2; expected a number from 0 to 1');
    expect(one('Dense', { units: 2, constructor: 3 }, [3])).toContain('has no option "constructor"');
    expect(one('Dens', {}, [3])).toContain('Lepton has no layer "Dens"; it has Activation');
  });

  it('of graphs', () => {
    const spec = chain([3], [['Flatten', {}]]);
    expect(messageOf({ ...spec, outputs: ['z'] })).toContain('The output "z"');
    expect(messageOf({ ...spec, calls: [{ layer: 'l0', inputs: ['z'], output: 'y0' }] })).toContain('reads "z"');
    expect(messageOf({ ...spec, layers: [] })).toContain('has no layer "l0"');
    expect(messageOf({ ...spec, inputs: [{ name: 'x0', shape: [0], dtype: 'float32' }] })).toContain('sizes from 1');
  });
});

function expectNear(got: ArrayLike<number> | undefined, expected: readonly number[]): void {
  expect(got?.length).toBe(expected.length);
  expected.forEach((value, i) => {
    expect(Math.abs((got?.[i] as number) - value), `element ${i}: ${got?.[i]}, not ${value}`).toBeLessThan(1e-4);
  });
}
