// The networks that the page makes smaller, each with data to measure it on: its own ones read digits, which the page writes
// itself; a visitor's file is measured on noise, by how far its answers move.

import { type DType, load, Tensor } from '../../api';
import type { Calibration } from '../../api/training';
import { pixels } from '../digits/ink';
import { random } from '../digits/random';
import { synthetic } from '../digits/synthetic';

export interface Subject {
  readonly id: string;
  readonly title: string;
  readonly note: string;
  readonly source: string | File;
  /** Made once, and given away with each compression: what is given is a copy. */
  calibration(): Promise<Calibration>;
}

const digits = 512;

function digitsCalibration(dims: readonly number[]): Promise<Calibration> {
  const { images, labels } = synthetic(
    Array.from({ length: digits }, (_, i) => i),
    4711,
  );
  return Promise.resolve({ inputs: new Tensor('float32', images, [digits, ...dims]), labels });
}

const modelUrl = (name: string) => new URL(`./models/${name}.onnx`, document.baseURI).href;

export const ownSubjects: readonly Subject[] = [
  {
    id: 'digits-wide',
    title: 'Digits, three dense layers',
    note: `784 × 512 × 256 × 10: 535,040 weights, read from pictures as rows of ${pixels} pixels. Measured on ${digits} digits that this page writes.`,
    source: modelUrl('digits-wide'),
    calibration: () => digitsCalibration([28, 28, 1]),
  },
  {
    id: 'digits',
    title: 'Digits, convolutions',
    note: `The network of the digits page: 26,698 weights, so small that starting its kernels takes longer than their work. Measured on ${digits} digits that this page writes.`,
    source: modelUrl('digits'),
    calibration: () => digitsCalibration([28, 28, 1]),
  },
];

/** Samples of noise for a model that leaves their number open. */
const noiseSamples = 8;

export function fileSubject(file: File): Subject {
  return {
    id: `file ${file.name} ${file.size}`,
    title: file.name,
    note: 'Your own file: it stays in this browser. It is measured on noise, so what counts is how far its answers move, not whether they are right.',
    source: file,
    async calibration() {
      const model = await load(file, { cache: false });
      const chance = random(7);
      const inputs = model.inputs.map(({ name, type, shape }) => {
        const dims = shape.map((size, axis) => (typeof size === 'number' ? size : axis === 0 ? noiseSamples : 1));
        const count = dims.reduce((a, b) => a * b, 1);
        const noise = Float32Array.from({ length: count }, () => chance.between(0, 1));
        return [name, tensorOf(type, noise, dims)] as const;
      });
      await model.dispose();
      return { inputs: Object.fromEntries(inputs) };
    },
  };
}

function tensorOf(type: DType, noise: Float32Array, dims: readonly number[]): Tensor<'float32' | 'int32' | 'int64'> {
  switch (type) {
    case 'float32':
      return new Tensor('float32', noise, dims);
    case 'int64':
      return new Tensor(
        'int64',
        BigInt64Array.from(noise, () => 0n),
        dims,
      );
    case 'int32':
      return new Tensor('int32', new Int32Array(noise.length), dims);
    default:
      throw new Error(`This page feeds float32, int32 and int64; the model has an input of type ${type}.`);
  }
}
