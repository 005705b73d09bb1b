// The figures and curves of training as they stand, some times a second.

import { element, node, setText } from '../dom';
import { percent } from '../format';
import { drawCurves } from './curves';
import type { Learner } from './learner';
import type { TrainingProgress } from './progress';

/** Milliseconds from one look to the next, and batches that the rate is taken of. */
const interval = 300;
const rated = 20;

export class ProgressView {
  /** When the last batches were done. */
  private done: number[] = [];
  private shownAt = 0;

  constructor(
    private readonly progress: TrainingProgress,
    private readonly learner: Pick<Learner, 'isGoing'>,
  ) {}

  countBatch(): void {
    this.done = [...this.done, performance.now()].slice(-rated);
  }

  /** What lies behind, such as a pause, counts no more for the rate. */
  restartRate(): void {
    this.done = [];
  }

  /** Answers whether it was time to show them. */
  show(now = false): boolean {
    const time = performance.now();
    if (!now && time - this.shownAt < interval) return false;
    this.shownAt = time;
    const { progress, done } = this;
    const means = progress.now;
    setText('fact-loss', means ? means.loss.toPrecision(3) : '–');
    setText('fact-accuracy', means ? percent(means.accuracy) : '–');
    setText('fact-batches', String(progress.batches));
    const seconds = ((done.at(-1) ?? 0) - (done[0] ?? 0)) / 1000;
    const going = this.learner.isGoing;
    const rate = ((done.length - 1) / seconds).toFixed(1);
    setText('fact-rate', going && seconds > 0 ? `${rate} batches/s` : '64 digits each');
    if (going && done.length > 0) setText('train-status', 'Training');
    const held = progress.epochs.at(-1);
    setText('fact-held-out', held ? percent(held.heldOut) : '–');
    setText('fact-held-out-note', held ? `after ${held.batch} batches` : 'after 100 batches');
    element('curves').hidden = progress.points.length < 2;
    if (progress.points.length >= 2) void drawCurves(progress);
    return true;
  }

  showEpochs(): void {
    const { epochs } = this.progress;
    element('epochs-details').hidden = epochs.length === 0;
    element('epochs').replaceChildren(
      ...epochs.slice(-50).map(({ batch, loss, accuracy, heldOut }) => {
        const row = node('tr', '');
        const texts = [String(batch), loss.toPrecision(3), percent(accuracy), percent(heldOut)];
        row.append(...texts.map((text) => node('td', '', text)));
        return row;
      }),
    );
  }
}
