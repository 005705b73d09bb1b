// Reads what is drawn, one question at a time: answers come for the drawing that is there, those to an older one are dropped.

import { showAlert } from '../alert';
import { setText } from '../dom';
import { median, milliseconds } from '../format';
import { nextTask } from '../pace';
import { pictureOf } from './ink';
import type { Learner } from './learner';
import type { Pad } from './pad';
import { showScores, showSeen } from './scores-view';

/** Answers that the time shown is the median of. */
const timed = 20;

export class Reading {
  /** Until the network is there, drawings wait. */
  ready = false;
  private asked = 0;
  private answering: Promise<void> | undefined;
  private readonly times: number[] = [];

  constructor(
    private readonly pad: Pick<Pad, 'strokes'>,
    private readonly learner: Pick<Learner, 'scores' | 'isTraining'>,
    private readonly whenDone: () => void,
  ) {}

  /** Answers when what is drawn by then has been read. */
  again(): Promise<void> {
    this.asked++;
    this.answering ??= this.readAll();
    return this.answering;
  }

  private async readAll(): Promise<void> {
    // What the pen does in one task is one question.
    await nextTask();
    try {
      for (let mine = -1; this.ready && mine !== this.asked; ) {
        mine = this.asked;
        const { strokes } = this.pad;
        const picture = pictureOf(strokes);
        showSeen(picture);
        const start = performance.now();
        const scores = strokes.length > 0 ? await this.learner.scores(picture) : undefined;
        if (scores && !this.learner.isTraining) this.showTime(performance.now() - start);
        if (mine === this.asked) showScores(scores);
      }
    } catch (error) {
      showAlert(error);
    }
    this.answering = undefined;
    this.whenDone();
  }

  private showTime(ms: number): void {
    this.times.push(ms);
    if (this.times.length > timed) this.times.shift();
    setText('fact-time', milliseconds(median(this.times)));
  }
}
