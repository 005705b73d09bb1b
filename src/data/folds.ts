// Who is trained on and who is tested on, as indices for `Dataset.select`: k-fold cross-validation, and one part held out.

import { LeptonError } from '../base/errors';
import { requireCount, seeded, shuffledOrder } from './random';

export interface Fold {
  readonly train: Uint32Array;
  readonly validation: Uint32Array;
}

export interface FoldOptions {
  /** Default 0: the same folds every time. */
  readonly seed?: number;
  /** One class a sample: every fold gets its share of each. */
  readonly stratify?: ArrayLike<number>;
}

/**
 * `folds` ways to divide `size` samples: each sample is in exactly one validation part, and those differ in size by at most
 * one (with `stratify` by at most one a class).
 * @throws INVALID_ARGUMENT for fewer than 2 folds, more folds than samples, or not one class a sample
 */
export function kFold(size: number, folds: number, options: FoldOptions = {}): Fold[] {
  requireCount('kFold(): the number of folds', folds, 2);
  if (folds > requireCount('kFold(): the size', size, 0)) {
    throw new LeptonError('INVALID_ARGUMENT', `kFold(): ${size} samples cannot be divided into ${folds} folds.`);
  }
  // Dealt out like cards, class by class, each sample to the next fold.
  const foldOf = new Uint32Array(size);
  dealt(size, options).forEach((sample, place) => {
    foldOf[sample] = place % folds;
  });
  return Array.from({ length: folds }, (_, fold) => parted(foldOf, fold));
}

/**
 * One way: about `fraction` of the samples, of each class with `stratify`, to validate with.
 * @throws INVALID_ARGUMENT for a fraction outside 0 to 1, or not one class a sample
 */
export function holdOut(size: number, fraction: number, options: FoldOptions = {}): Fold {
  if (!(fraction > 0 && fraction < 1)) {
    throw new LeptonError('INVALID_ARGUMENT', `holdOut(): the fraction must lie between 0 and 1, but is ${fraction}.`);
  }
  const isTrain = new Uint32Array(size).fill(1);
  // Evenly along the order in which classes lie side by side, so that each gives its share.
  dealt(size, options).forEach((sample, place) => {
    if (Math.floor((place + 1) * fraction) > Math.floor(place * fraction)) isTrain[sample] = 0;
  });
  return parted(isTrain, 0);
}

/** All samples in random order, those of one class after those of another. */
function dealt(size: number, { seed = 0, stratify }: FoldOptions): Uint32Array {
  const order = shuffledOrder(size, Math.max(1, size), seeded(seed));
  if (!stratify) return order;
  if (stratify.length !== size) {
    throw new LeptonError('INVALID_ARGUMENT', `stratify has ${stratify.length} classes for ${size} samples.`);
  }
  // Sorting is stable: within a class the order stays random.
  return order.sort((a, b) => (stratify[a] as number) - (stratify[b] as number));
}

function parted(partOf: Uint32Array, validation: number): Fold {
  const all = Uint32Array.from(partOf.keys());
  return {
    train: all.filter((i) => partOf[i] !== validation),
    validation: all.filter((i) => partOf[i] === validation),
  };
}
