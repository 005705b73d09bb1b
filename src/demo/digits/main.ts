// The digits page: joins the sheet, the network that reads and learns, and the figures of its training.

import { hideAlert, showAlert } from '../alert';
import { element, node, setText } from '../dom';
import { percent, plural } from '../format';
import { remembered } from '../remembered';
import { setUpTheme } from '../theme';
import { clearCurves } from './curves';
import { pictureOf } from './ink';
import { Learner, type LessonReport, saveInterval, type TrainingData } from './learner';
import { Lessons } from './lessons';
import { makePad } from './pad';
import { TrainingProgress } from './progress';
import { ProgressView } from './progress-view';
import { Reading } from './reading';
import { setUpScores, showSeen } from './scores-view';
import shipped from './shipped.json';
import { filesSource, ownSource, type Source, serverSource } from './sources';
import { writtenDigit } from './synthetic';

const lessons = new Lessons(remembered);
const progress = new TrainingProgress(remembered);
const learner = new Learner(lessons);
const view = new ProgressView(progress, learner);
const pad = makePad(element<HTMLCanvasElement>('pad'), () => void reading.again());
const reading = new Reading(pad, learner, showState);
const button = (id: string) => element<HTMLButtonElement>(id);
/** To the digit: it must not be rounded up. */
const shippedShare = `${(100 * shipped.accuracy).toFixed(2)} %`;

/** A lesson, or other weights, are under way. */
let busy = false;
let sources: readonly Source[] = [ownSource];
const opened = new Map<Source, Promise<TrainingData>>();

/** Shows why work failed; what did not fail leaves the alert hidden. */
async function attempt(work: () => Promise<void>, onCpu?: () => void): Promise<void> {
  hideAlert();
  try {
    await work();
  } catch (error) {
    setText('train-status', '');
    showAlert(error, onCpu);
  }
  showState();
}

// Training

function source(): Source {
  const { value } = element<HTMLSelectElement>('source');
  return sources.find(({ id }) => id === value) ?? ownSource;
}

function dataOf(chosen: Source): Promise<TrainingData> {
  const known = opened.get(chosen);
  if (known) return known;
  const opening = chosen.open();
  opened.set(chosen, opening);
  opening.catch(() => opened.delete(chosen));
  return opening;
}

async function train(): Promise<void> {
  const chosen = source();
  busy = true;
  showState();
  await attempt(async () => {
    setText('train-status', chosen === ownSource ? 'Getting ready' : `Reading ${chosen.title}`);
    const data = await dataOf(chosen);
    setText('train-status', 'Compiling the steps of training');
    view.restartRate();
    const training = learner.train(data, progress.epoch, {
      onBatch(loss, accuracy) {
        progress.addBatch(loss, accuracy);
        view.countBatch();
        showProgress();
      },
      onEpoch(epoch, heldOut) {
        progress.endEpoch(epoch, heldOut);
        view.showEpochs();
      },
      onSaved: () => {
        progress.store();
        showKept();
      },
    });
    busy = false;
    showState();
    await training;
    await keep();
    setText('train-status', `Stopped after ${progress.batches} batches.`);
    await reading.again();
  });
  busy = false;
  showProgress(true);
  showState();
}

async function pause(): Promise<void> {
  if (learner.isPaused) {
    view.restartRate();
    learner.resume();
    setText('train-status', 'Training');
  } else {
    learner.pause();
    setText('train-status', 'Paused');
    await attempt(keep);
  }
  showProgress(true);
  showState();
}

async function keep(): Promise<void> {
  await learner.save();
  progress.store();
  showKept();
}

/** Now and then the drawing is read anew, too, for the network has changed. */
function showProgress(now = false): void {
  if (view.show(now) && learner.isGoing) void reading.again();
}

// Corrections

async function teach(digit: number): Promise<void> {
  const lesson = { strokes: pad.strokes.map((stroke) => [...stroke]), digit };
  busy = true;
  showState();
  await attempt(async () => {
    setText('lesson', `Learning that this is a ${digit}`);
    const report = await learner.correct(lesson, await dataOf(source()));
    progress.store();
    setText('lesson', inWords(digit, report));
    showKept();
    await reading.again();
  });
  busy = false;
  showState();
}

function inWords(digit: number, { steps, before, after, sure, knewBefore, knowsAfter }: LessonReport): string {
  const learnt =
    after === digit
      ? `Learnt in ${steps} steps: it reads this as a ${digit} now, ${percent(sure)} sure${before === digit ? '' : `; before, as a ${before}`}.`
      : `After ${steps} steps it still reads this as a ${after}. Once more will help.`;
  return `${learnt} Of the digits held out it knew ${percent(knewBefore)} before, and knows ${percent(knowsAfter)} now.`;
}

// What is kept

async function restart(origin: 'shipped' | 'random'): Promise<void> {
  busy = true;
  showState();
  await attempt(async () => {
    await learner.restart(origin);
    progress.clear();
    await clearCurves();
    view.showEpochs();
    showProgress(true);
    setText('train-status', origin === 'random' ? 'Random weights: it knows nothing yet. Press Train.' : '');
    await reading.again();
  });
  busy = false;
  showKept();
  showState();
}

async function download(): Promise<void> {
  await attempt(async () => {
    const url = URL.createObjectURL(new Blob([await learner.onnx()], { type: 'application/octet-stream' }));
    const link = document.createElement('a');
    link.href = url;
    link.download = 'lepton-digits.onnx';
    link.click();
    // The browser has begun to read by then.
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
  });
}

function showKept(): void {
  const every = `While it trains, the network is saved in this browser (IndexedDB) every ${saveInterval / 1000} seconds, after every 100 batches, when you pause or stop, and after every correction: close the tab, come back, and go on from there.`;
  const { savedAt } = learner;
  const last = savedAt ? ` Last saved ${new Date(savedAt).toLocaleString()}, after ${batchesSoFar()}.` : '';
  setText('kept-note', every + last);
  const origins = {
    shipped: ['As shipped', `${shippedShare} of MNIST’s test digits`],
    checkpoint: ['Your own', 'from your last visit'],
    random: ['Random', 'begun here'],
  } as const;
  const [title, note] = origins[learner.origin];
  const changed = learner.origin === 'shipped' && savedAt !== undefined;
  setText('fact-origin', changed ? 'Your own' : title);
  setText('fact-origin-note', changed ? 'as shipped, and trained here' : note);
}

function batchesSoFar(): string {
  const corrections = lessons.size > 0 ? ` and ${plural(lessons.size, 'correction')}` : '';
  return plural(progress.batches, 'batch') + corrections;
}

function showState(): void {
  const { canTrain, isTraining, isPaused } = learner;
  const idle = reading.ready && !busy;
  const trains = idle && canTrain;
  button('train').disabled = !trains || isTraining;
  setText('train', progress.batches > 0 ? 'Go on training' : 'Train');
  button('pause').disabled = !isTraining;
  button('pause').setAttribute('aria-pressed', String(isPaused));
  setText('pause', isPaused ? 'Resume' : 'Pause');
  button('stop').disabled = !isTraining;
  element<HTMLSelectElement>('source').disabled = isTraining;
  button('download').disabled = !idle;
  button('fresh').disabled = !trains || isTraining;
  button('forget').disabled = !trains || isTraining;
  element<HTMLFieldSetElement>('teach').disabled = !trains || pad.strokes.length === 0;
}

function listSources(chosen: string): void {
  element('source').replaceChildren(...sources.map(({ id, title }) => new Option(title, id, false, id === chosen)));
  setText('source-note', source().note);
}

function listen(): void {
  element('clear').addEventListener('click', () => pad.show([]));
  element('write').addEventListener('click', () => {
    const digit = Math.floor(Math.random() * 10);
    const strokes = writtenDigit(digit, Math.floor(Math.random() * 1e9));
    // From widths of its own around the middle to widths of the sheet.
    pad.show(strokes.map((stroke) => stroke.map(([x, y]) => [0.5 + 0.72 * x, 0.5 + 0.72 * y] as const)));
  });
  element('keys').append(
    ...Array.from({ length: 10 }, (_, digit) => {
      const made = node('button', '', String(digit));
      made.type = 'button';
      made.setAttribute('aria-label', `This is a ${digit}`);
      made.addEventListener('click', () => void teach(digit));
      return made;
    }),
  );
  element('train').addEventListener('click', () => void train());
  element('pause').addEventListener('click', () => void pause());
  element('stop').addEventListener('click', () => void learner.stop());
  element('download').addEventListener('click', () => void download());
  element('fresh').addEventListener('click', () => void restart('random'));
  element('forget').addEventListener('click', () => void restart('shipped'));
  element('source').addEventListener('change', () => setText('source-note', source().note));
  const files = element<HTMLInputElement>('idx-files');
  files.addEventListener('change', () => {
    void attempt(async () => {
      const chosen = filesSource([...(files.files ?? [])]);
      sources = [...sources.filter(({ id }) => id !== chosen.id), chosen];
      listSources(chosen.id);
    });
    files.value = '';
  });
  // A tab that is left may be closed without another word.
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'hidden' && learner.isTraining) void keep().catch(() => {});
  });
}

async function open(backend: 'gpu' | 'cpu'): Promise<void> {
  await attempt(
    async () => {
      setText('headline', 'Getting ready');
      await learner.open(backend);
      if (learner.origin === 'checkpoint') {
        setText('train-status', `Here is the network of your last visit, after ${batchesSoFar()}.`);
      }
      if (!learner.canTrain) {
        setText('train-status', 'Training needs a GPU: on the CPU the network reads what you draw, as it ships.');
        setText('lesson', 'Teaching is training, which needs a GPU.');
      }
      reading.ready = true;
      showKept();
      await reading.again();
    },
    () => void open('cpu'),
  );
  if (!reading.ready) setText('headline', 'The network is not ready');
}

async function start(): Promise<void> {
  setUpTheme(button('theme'), () => {
    pad.redraw();
    void clearCurves().then(() => showProgress(true));
  });
  setText(
    'network-note',
    `Two convolutions and two dense layers, 26,698 weights. Lepton itself trained the network that ships, on MNIST’s 60,000 digits; of the ${shipped.tested.toLocaleString('en')} test digits, which it had never seen, it reads ${shippedShare} right.`,
  );
  setUpScores();
  showSeen(pictureOf([]));
  listen();
  listSources(ownSource.id);
  view.showEpochs();
  showProgress(true);
  showKept();
  showState();
  const listed = serverSource().then((found) => {
    if (!found) return;
    sources = [...sources, found];
    listSources(source().id);
  });
  await Promise.all([open('gpu'), listed]);
}

void start();
