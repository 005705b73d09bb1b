// How training has gone so far: the curves, and what a later visit goes on with. Written beside each checkpoint.

import type { Remembered } from '../remembered';

export interface CurvePoint {
  readonly batch: number;
  readonly loss: number;
  readonly accuracy: number;
}

export interface EpochRow extends CurvePoint {
  readonly heldOut: number;
}

interface Kept {
  readonly batches: number;
  readonly epoch: number;
  /** Batches from one point of the curves to the next. */
  readonly stride: number;
  readonly points: readonly CurvePoint[];
  readonly epochs: readonly EpochRow[];
}

const key = 'lepton-digits-progress';
const none: Kept = { batches: 0, epoch: 0, stride: 1, points: [], epochs: [] };
const mostPoints = 400;
/** Batches that a figure is the mean of. */
const window = 20;

export class TrainingProgress {
  private kept: Kept;
  private recent: { readonly loss: number; readonly accuracy: number }[] = [];

  constructor(private readonly storage: Remembered) {
    this.kept = read(storage);
  }

  get batches(): number {
    return this.kept.batches;
  }

  /** To go on with. */
  get epoch(): number {
    return this.kept.epoch;
  }

  get points(): readonly CurvePoint[] {
    return this.kept.points;
  }

  get epochs(): readonly EpochRow[] {
    return this.kept.epochs;
  }

  /** Means over the last batches. */
  get now(): CurvePoint | undefined {
    if (this.recent.length === 0) return this.kept.points.at(-1);
    const mean = (of: 'loss' | 'accuracy') => this.recent.reduce((sum, one) => sum + one[of], 0) / this.recent.length;
    return { batch: this.batches, loss: mean('loss'), accuracy: mean('accuracy') };
  }

  addBatch(loss: number, accuracy: number): void {
    this.recent.push({ loss, accuracy });
    if (this.recent.length > window) this.recent.shift();
    const batches = this.batches + 1;
    this.kept = { ...this.kept, batches };
    if (batches % this.kept.stride !== 0 && batches > 1) return;
    const points = [...this.kept.points, this.now as CurvePoint];
    const full = points.length > mostPoints;
    this.kept = {
      ...this.kept,
      points: full ? points.filter((_, i) => i % 2 === 0) : points,
      stride: full ? 2 * this.kept.stride : this.kept.stride,
    };
  }

  endEpoch(epoch: number, heldOut: number): void {
    const row = { ...(this.now as CurvePoint), heldOut };
    this.kept = { ...this.kept, epoch: epoch + 1, epochs: [...this.kept.epochs, row].slice(-mostPoints) };
  }

  store(): void {
    this.storage.setItem(key, JSON.stringify(this.kept));
  }

  clear(): void {
    this.kept = none;
    this.recent = [];
    this.storage.removeItem(key);
  }
}

function read(storage: Remembered): Kept {
  try {
    const kept = JSON.parse(storage.getItem(key) ?? '') as Kept;
    if (Array.isArray(kept.points) && Array.isArray(kept.epochs)) return kept;
  } catch {
    // Nothing was kept, or by a page of another version.
  }
  return none;
}
