// Times the kernels of sparse weights against those that Lepton chooses for dense ones, without a browser.

import { encode } from '../../../src/base/ndarray';
import { Devices } from '../../../src/worker/devices';
import type { BenchCase } from '../cases';
import { KernelTimer, type TimedModel } from '../sparse/kernel-timer';
import { percent, type SparseShape } from '../sparse/shape';
import { median } from '../statistics';

export interface SparseKernelResult {
  /** Rows × columns of the weights × columns of the other factor, or what convolution; and how the zeros lie. */
  readonly weights: string;
  /** Share of the weights; 0 of dense ones. */
  readonly zeros: number;
  /** Milliseconds of the dispatches. */
  readonly median: number;
  /** How many times faster than the dense weights. */
  readonly overDense: number;
  /** Of GPU memory, against the dense weights as float32: their own kernel may keep them in a larger form. */
  readonly memory: number;
  readonly kernel: string;
}

/** @returns one for the dense weights, then one for each kind of sparse ones */
export async function measureShape(gpu: GPU, shape: SparseShape, rounds: number): Promise<SparseKernelResult[]> {
  const shared = await new Devices(gpu).get();
  try {
    const timer = new KernelTimer(shared);
    for (const test of [shape.dense, ...shape.levels.map((level) => level.test)]) await timer.open(await modelOf(test));
    const times: number[][] = timer.opened.map(() => []);
    for (let round = 0; round < rounds; round++) {
      for (const [i, time] of (await timer.time(round)).entries()) times[i]?.push(time);
    }
    const medians = times.map(median);
    const [dense, ...others] = timer.opened.map(({ kernel, weightBytes }, i) => ({
      ...{ kernel, weightBytes },
      median: medians[i] as number,
    })) as [Timed, ...Timed[]];
    const result = (timed: Timed, structure: string, zeros: number): SparseKernelResult => ({
      weights: `${shape.name}, ${structure}`,
      zeros,
      median: timed.median,
      overDense: dense.median / timed.median,
      memory: timed.weightBytes / shape.denseBytes,
      kernel: timed.kernel,
    });
    return [
      result(dense, 'dense', 0),
      ...shape.levels.map(({ structure, zeros }, i) => result(others[i] as Timed, structure, zeros)),
    ];
  } finally {
    shared.device.handle.destroy();
  }
}

interface Timed {
  readonly kernel: string;
  readonly weightBytes: number;
  readonly median: number;
}

async function modelOf(test: BenchCase): Promise<TimedModel> {
  const feeds = Object.entries(test.feeds()).map(([name, array]) => ({
    ...{ name, dtype: array.dtype, dims: array.dims },
    bytes: encode(array),
  }));
  return { name: test.name, bytes: await test.model(), feeds };
}

export const sparseHead = ['weights', 'zeros', 'kernel ms', 'over dense', 'memory', 'kernel'];

export const sparseRow = ({ weights, zeros, median, overDense, memory, kernel }: SparseKernelResult) => [
  ...[weights, percent(zeros), median.toFixed(3), `${overDense.toFixed(2)}×`, percent(memory)],
  kernel,
];
