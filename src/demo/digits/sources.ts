// What the page can train on: digits that it writes itself, MNIST where the server has it (in development), or MNIST's
// files, or files like them, from the visitor's disk.

import { data } from '../../api/training';
import { side } from './ink';
import { type Examples, synthetic } from './synthetic';

export interface Source {
  readonly id: string;
  readonly title: string;
  readonly note: string;
  open(): Promise<{ readonly train: data.Dataset; readonly heldOut: data.Dataset }>;
}

/** Enough for a look every now and then; more would be waited for. */
const heldOutSize = 500;

const shape = [side, side, 1] as const;

/** Of an epoch: as many as the page trains on between two looks at the digits held out. */
export const epochSize = 6400;

export const ownSource: Source = {
  id: 'own',
  title: 'Digits that this page writes',
  note: 'No two are the same: the ways a pen takes for each digit, leant, squeezed and bent at random as they are needed.',
  open: async () => ({
    train: new data.Dataset({
      size: epochSize,
      reshuffles: true,
      read: (indices, epoch) => batchOf(synthetic(indices, 1 + epoch)),
    }),
    heldOut: new data.Dataset({
      size: heldOutSize,
      reshuffles: false,
      read: (indices) => batchOf(synthetic(indices, -1)),
    }),
  }),
};

/** As a batch of a data set. */
export function batchOf({ images, labels }: Examples): data.Batch {
  return {
    xs: { type: 'float32', dims: [labels.length, ...shape], data: images },
    ys: { type: 'int32', dims: [labels.length], data: labels },
  };
}

const folder = `${import.meta.env.BASE_URL}shared/datasets/mnist/`;
const file = (part: 'train' | 't10k', kind: 'images-idx3' | 'labels-idx1') => `${folder}${part}-${kind}-ubyte.gz`;

/** MNIST, where the development server has it. */
export async function serverSource(): Promise<Source | undefined> {
  if (!import.meta.env.DEV) return undefined;
  const response = await fetch(file('train', 'images-idx3'), { method: 'HEAD' }).catch(() => undefined);
  if (!response?.ok || response.headers.get('Content-Type')?.includes('html')) return undefined;
  const read = (part: 'train' | 't10k') =>
    data.fromIDX({ xs: file(part, 'images-idx3'), ys: file(part, 'labels-idx1') }, { shape });
  return {
    id: 'mnist',
    title: 'MNIST, from this server',
    note: 'Sixty thousand digits that people wrote; those held out are of other people.',
    async open() {
      const [train, test] = await Promise.all([read('train'), read('t10k')]);
      return { train: train.shuffle(), heldOut: test.take(heldOutSize) };
    },
  };
}

/**
 * A file of pictures and one of labels, and those to hold out where there are any ('t10k' or 'test' in their names); else the
 * last twentieth is held out. Test files that come alone are trained on too: they are the smaller download.
 */
export function filesSource(files: readonly File[]): Source {
  const train = pairOf(files.filter(({ name }) => !isTest(name)));
  const test = pairOf(files.filter(({ name }) => isTest(name)));
  const pair = train ?? test;
  const names = files.map(({ name }) => name).join(', ');
  if (!pair) {
    throw new Error(
      `Training takes a file of pictures and one of labels, such as train-images-idx3-ubyte.gz and train-labels-idx1-ubyte.gz, but there were ${names}.`,
    );
  }
  return {
    id: 'files',
    title: pair.xs.name,
    note: `From your files: ${names}.`,
    async open() {
      const all = await data.fromIDX(pair, { shape });
      if (train && test) {
        const others = await data.fromIDX(test, { shape });
        return { train: all.shuffle(), heldOut: others.take(heldOutSize) };
      }
      const [most, rest] = all.split(0.95, { seed: 1 });
      return { train: most.shuffle(), heldOut: rest.take(heldOutSize) };
    },
  };
}

const isTest = (name: string) => /t10k|test/i.test(name);

function pairOf(files: readonly File[]): { readonly xs: File; readonly ys: File } | undefined {
  const [xs, ys] = [/image|idx3/i, /label|idx1/i].map((kind) => files.find(({ name }) => kind.test(name)));
  return xs && ys && { xs, ys };
}
