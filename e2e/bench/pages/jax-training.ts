// jax-js training on WebGPU in its page: value and gradients of the loss, and Adam on them, as one function under jit.

import { jit, nn, numpy as np, tree, valueAndGrad } from '@jax-js/jax';
import type { TrainingLoss } from '../cases/training';
import { type Arrays, forward, kernelOrder } from './jax-layers';
import { start } from './jax-start';
import type { Feed, Training, TrainingData, TrainingRun } from './runtime';
import { serveTraining } from './training';
import { elementsOf } from './typed-arrays';

const [beta1, beta2, epsilon] = [0.9, 0.999, 1e-7];

const losses: Readonly<Record<TrainingLoss, (answer: np.Array, y: np.Array) => np.Array>> = {
  sparseCategoricalCrossentropy(logits, y) {
    const [samples, classes] = logits.shape as [number, number];
    return np.sum(nn.logSoftmax(logits).mul(nn.oneHot(y, classes))).mul(-1 / samples);
  },
  meanSquaredError: (answer, y) => np.mean(np.square(answer.sub(y))),
};

interface State {
  readonly weights: Arrays;
  readonly means: Arrays;
  readonly squares: Arrays;
}

async function train({ spec, loss, learningRate }: Training, { weights, x, y }: TrainingData): Promise<TrainingRun> {
  const lossOf = (weights: Arrays, x: np.Array, y: np.Array) => losses[loss](forward(spec, x, weights), y);
  /** @param scales 1 / (1 - beta^step), of both */
  const update = jit((state: State, scales: [np.Array, np.Array], x: np.Array, y: np.Array) => {
    const [value, gradients] = valueAndGrad(lossOf)(tree.ref(state.weights), x, y) as [np.Array, Arrays];
    const next: { weights: Arrays; means: Arrays; squares: Arrays } = { weights: {}, means: {}, squares: {} };
    for (const [name, gradient] of Object.entries(gradients)) {
      const mean = of(state.means, name)
        .mul(beta1)
        .add(gradient.ref.mul(1 - beta1));
      const square = of(state.squares, name)
        .mul(beta2)
        .add(np.square(gradient).mul(1 - beta2));
      const size = np.sqrt(square.ref.mul(scales[1].ref)).add(epsilon);
      const step = mean.ref.mul(scales[0].ref).div(size).mul(learningRate);
      next.weights[name] = of(state.weights, name).sub(step);
      next.means[name] = mean;
      next.squares[name] = square;
    }
    tree.dispose(scales);
    return { value, next };
  });
  const initial = Object.fromEntries(weights.map((feed) => [feed.name, weightOf(feed)]));
  const zeros = () => Object.fromEntries(Object.entries(initial).map(([name, { shape }]) => [name, np.zeros(shape)]));
  let state: State = { means: zeros(), squares: zeros(), weights: initial };
  let steps = 0;
  return {
    async step() {
      steps++;
      const scales: [np.Array, np.Array] = [np.array(1 / (1 - beta1 ** steps)), np.array(1 / (1 - beta2 ** steps))];
      const { value, next } = update(state, scales, arrayOf(x), arrayOf(y));
      state = next;
      const [read] = (await value.data()) as Float32Array;
      return read as number;
    },
    dispose() {
      tree.dispose(state);
      update.dispose();
    },
  };
}

serveTraining({ start: () => start().then(() => ''), train });

const of = (arrays: Arrays, name: string) => arrays[name] as np.Array;

function weightOf(feed: Feed): np.Array {
  const array = arrayOf(feed);
  return array.ndim === 4 ? array.transpose(kernelOrder) : array;
}

function arrayOf({ dtype, dims, bytes }: Feed): np.Array {
  return np.array(elementsOf(dtype, bytes), { shape: [...dims], dtype: dtype === 'int32' ? np.int32 : np.float32 });
}
