// The networks that the page makes smaller, each with data to measure it on: its own ones read digits, which the page writes
// itself; a visitor's file is measured on noise, by how far its answers move.

import { type DType, load, Tensor, type TensorInfo } from '../../api';
import type { Calibration } from '../../api/training';
import { pixels } from '../digits/ink';
import { random } from '../digits/random';
import { synthetic } from '../digits/synthetic';

export interface Subject {
  readonly id: string;
  readonly title: string;
  readonly note: string;
  readonly source: string | File;
  /** Made for each compression, which takes it over; none where the page cannot make up inputs. */
  calibration(): Promise<Calibration | undefined>;
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

const fed: ReadonlySet<DType> = new Set(['float16', 'float32', 'int32', 'int64']);

export function fileSubject(file: File): Subject {
  return {
    id: `file ${file.name} ${file.size}`,
    title: file.name,
    note: 'Your own file: it stays in this browser. It is measured on noise, so what counts is how far its answers move, not whether they are right.',
    source: file,
    async calibration() {
      // Its inputs alone are looked at, for which no kernel needs to be compiled.
      const model = await load(file, { cache: false, backend: 'cpu' });
      const { inputs } = model;
      await model.dispose();
      const samples = samplesOf(inputs);
      if (samples === undefined) return undefined;
      const chance = random(7);
      const noise = inputs.map(({ name, type, shape }) => {
        const dims = shape.map((size, axis) => (typeof size === 'number' ? size : axis === 0 ? samples : 1));
        const count = dims.reduce((a, b) => a * b, 1);
        const values = Float32Array.from({ length: count }, () => chance.between(0, 1));
        return [name, tensorOf(type, values, dims)] as const;
      });
      return { inputs: Object.fromEntries(noise) };
    },
  };
}

/**
 * Samples along the first axis of every input; none where that axis is something else, as in networks that keep a state, or
 * where the page does not feed the type.
 */
function samplesOf(inputs: readonly TensorInfo[]): number | undefined {
  if (!inputs.every(({ type }) => fed.has(type))) return undefined;
  const firsts = inputs.map(({ shape }) => shape[0]);
  const elsewhere = new Set(inputs.flatMap(({ shape }) => shape.slice(1)));
  const [fixed, other] = new Set(firsts.filter((size) => typeof size === 'number'));
  const named = firsts.filter((size) => typeof size === 'string');
  if (other !== undefined || firsts.includes(undefined) || named.some((size) => elsewhere.has(size))) return undefined;
  return fixed ?? noiseSamples;
}

function tensorOf(type: DType, noise: Float32Array, dims: readonly number[]): Tensor<'float32' | 'int32' | 'int64'> {
  if (type === 'int64') return new Tensor(type, new BigInt64Array(noise.length), dims);
  if (type === 'int32') return new Tensor(type, new Int32Array(noise.length), dims);
  // Floats: compress() rounds what it is given to the model's own type.
  return new Tensor('float32', noise, dims);
}
