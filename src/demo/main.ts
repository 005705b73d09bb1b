// The demo page: joins what the visitor does (choose, drop, film, cancel) to a session and shows the answer.
// Invariant: one piece of work at a time; new work aborts the old one, whose results are then ignored. Only a picture may be
// opened beside it: a load that is under way goes on, and answers for the picture that is there at its end.

import type { Progress } from '../api';
import { hideAlert, isAbort, lacksGpu, showAlert } from './alert';
import { watchCamera } from './camera';
import { runCheck } from './check';
import { element, setText } from './dom';
import { drawScene } from './draw';
import { listenForDrops } from './drop';
import { median } from './format';
import { showProgress } from './load-view';
import { nextTask } from './pace';
import { isModelFile, isPictureFile, openPicture, type Picture } from './picture';
import { listPictures, pressPicture } from './picture-strip';
import { clearProfile, redrawProfile, showProfile } from './profile-view';
import { listSamples, ownSample, type PictureChoice, type Sample } from './samples';
import { openSession, type Session } from './session';
import { forgetAll, showStorage } from './storage-view';
import { setUpTheme } from './theme';
import * as view from './view';

const laterRuns = { count: 10, milliseconds: 2000 } as const;

let samples: readonly Sample[] = [ownSample];
let session: Session | undefined;
let picture: Picture | undefined;
/** The visitor's own picture, which stays while models change. */
let own: PictureChoice | undefined;
let work = new AbortController();
let loading = false;
/** Of the picture that was asked for last, and whether it came. */
let opening = new AbortController();
let opened: Promise<boolean> = Promise.resolve(false);

/** Ends what is going on and gives the signal of what comes now. */
function begin(): AbortSignal {
  work.abort();
  work = new AbortController();
  loading = false;
  hideAlert();
  element('camera').setAttribute('aria-pressed', 'false');
  return work.signal;
}

/** Runs work to its end or shows why it failed; what was aborted stays silent. */
async function attempt(signal: AbortSignal, act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (signal.aborted && (signal !== work.signal || isAbort(error))) return;
    view.setBusy(false);
    view.setStatus('That did not work', '');
    showAlert(error, () => {
      // Where there is no GPU there is none for the next model either; what one model was too much for may bear another.
      cpu = lacksGpu(error) ? 'all' : current;
      void chooseModel(current);
    });
  }
}

let current: Sample = ownSample;
/** What the visitor has sent to the CPU. */
let cpu: 'all' | Sample | undefined;
const onCpu = (sample: Sample) => cpu === 'all' || cpu === sample;

/** @param given the visitor's picture for it */
async function chooseModel(sample: Sample, given?: PictureChoice): Promise<void> {
  const signal = begin();
  const again = sample === current && picture !== undefined;
  current = sample;
  view.listModels(samples, sample.id);
  loading = true;
  await attempt(signal, async () => {
    const start = performance.now();
    // A model that is loaded once more answers for the picture that is there.
    if (!again) offerPictures(given);
    try {
      await openModel(sample, signal);
      await lastPicture();
    } finally {
      if (signal === work.signal) loading = false;
    }
    signal.throwIfAborted();
    await answer(signal, start);
  });
}

/** Lists those that go with the model, and shows the one given or the first. */
function offerPictures(given?: PictureChoice): void {
  const pictures = listChoices();
  const first = given ?? pictures[0];
  if (first) void takePicture(first);
}

function listChoices(): readonly PictureChoice[] {
  const pictures = own ? [own, ...current.pictures] : current.pictures;
  listPictures(pictures, (choice) => void choosePicture(choice));
  return pictures;
}

async function openModel(sample: Sample, signal: AbortSignal): Promise<void> {
  view.clearFacts();
  view.clearAnswer();
  clearProfile();
  view.setBusy(true);
  view.setStatus('Loading', sample.title);
  element<HTMLButtonElement>('profile').disabled = true;
  element<HTMLButtonElement>('camera').disabled = true;
  showProgress('start');
  // The worker's last words may arrive after the load has ended.
  let over = false;
  const onProgress = (progress: Progress) => over || signal.aborted || showProgress(progress);
  const last = session;
  session = undefined;
  try {
    await last?.close();
    const ready = await openSession(sample.model, { ...(onCpu(sample) && { backend: 'cpu' }), signal, onProgress });
    if (signal.aborted) {
      await ready.close();
      signal.throwIfAborted();
    }
    session = ready;
    over = true;
    showProgress('ready');
    view.showFacts(ready.report);
    element<HTMLButtonElement>('camera').disabled = false;
  } catch (error) {
    over = true;
    if (signal === work.signal) showProgress('stopped');
    throw error;
  }
}

/** Opens a picture in place of the one that is there, which stays where that fails. Says whether it is shown. */
function takePicture(choice: PictureChoice): Promise<boolean> {
  opening.abort();
  opening = new AbortController();
  opened = showPicture(choice, opening.signal);
  return opened;
}

async function showPicture(choice: PictureChoice, signal: AbortSignal): Promise<boolean> {
  try {
    const taken = await choice.open(signal);
    signal.throwIfAborted();
    picture = taken;
    // What is not on offer is the visitor's; it is from now on, as it could be opened.
    if (choice !== own && !current.pictures.includes(choice)) {
      own = choice;
      listChoices();
    }
    await drawScene(view.canvas, taken.bitmap);
    if (signal.aborted) return false;
    pressPicture(choice.title);
    return true;
  } catch (error) {
    if (!signal.aborted) showAlert(error);
    return false;
  }
}

/** Another one may be asked for while this waits. */
async function lastPicture(): Promise<void> {
  let awaited: typeof opened | undefined;
  while (awaited !== opened) {
    awaited = opened;
    await awaited;
  }
}

async function choosePicture(choice: PictureChoice): Promise<void> {
  // Why there is no model stays to be read.
  if (loading || session) hideAlert();
  if (!(await takePicture(choice)) || loading || !session) return;
  const signal = begin();
  await attempt(signal, () => answer(signal));
}

/** The first answer at once; then some more runs for the median, and the profile. */
async function answer(signal: AbortSignal, start?: number): Promise<void> {
  if (!session) return;
  if (!picture) {
    view.setBusy(false);
    return view.setStatus('No picture', 'Choose one to go on.');
  }
  const { bitmap, title } = picture;
  view.setBusy(true);
  const first = await session.answer(bitmap, signal);
  const toAnswer = start === undefined ? first.ms : performance.now() - start;
  view.setBusy(false);
  await drawScene(view.canvas, bitmap, first.answer);
  const blind = first.answer.kind === 'tensors' && !first.answer.takesPicture;
  view.showAnswer(first.answer, blind ? 'This network takes no picture.' : title);
  setText('fact-first-note', start === undefined ? 'on this picture' : 'from choosing the model');
  view.showLatency(toAnswer, undefined);
  const times: number[] = [];
  const until = performance.now() + laterRuns.milliseconds;
  while (times.length < laterRuns.count && (times.length === 0 || performance.now() < until)) {
    await nextTask();
    times.push((await session.answer(bitmap, signal)).ms);
  }
  view.showLatency(toAnswer, { median: median(times), runs: times.length });
  await profile(signal);
  await showStorage();
}

async function profile(signal: AbortSignal): Promise<void> {
  if (!session || !picture) return;
  if (session.report.backend === 'cpu') return setText('profile-note', 'On the CPU there are no times by operator.');
  const button = element<HTMLButtonElement>('profile');
  button.disabled = true;
  const measured = await session.profile(picture.bitmap, signal);
  signal.throwIfAborted();
  await showProfile(measured);
  button.disabled = false;
}

async function film(): Promise<void> {
  const button = element('camera');
  const stop = button.getAttribute('aria-pressed') === 'true';
  opening.abort();
  const signal = begin();
  if (stop) return view.setStatus('Camera stopped', '');
  const running = session;
  if (!running) return;
  button.setAttribute('aria-pressed', 'true');
  await attempt(signal, () =>
    watchCamera(async (frame) => {
      const { answer, ms } = await running.answer(frame, signal);
      if (signal.aborted) return;
      // The frame is closed after this, so it has to be drawn first.
      await drawScene(view.canvas, frame, answer);
      view.showAnswer(answer, 'camera');
      view.showLatency(ms, undefined);
    }, signal),
  );
  if (signal === work.signal) button.setAttribute('aria-pressed', 'false');
}

function useFiles(files: readonly File[]): void {
  const [models, images] = [files.filter(isModelFile), files.filter(isPictureFile)];
  const [model] = models;
  const [image] = images;
  const names = files.map((file) => file.name).join(', ');
  if (models.length > 1 || images.length > 1) {
    showAlert(new Error(`The page takes one model and one picture at a time, but was given ${names}.`));
  } else if (model) {
    const sample: Sample = { id: `file:${model.name}`, title: model.name, model, pictures: current.pictures };
    samples = [...samples.filter((other) => other.id !== sample.id), sample];
    void chooseModel(sample, image && fileChoice(image));
  } else if (image) {
    void choosePicture(fileChoice(image));
  } else {
    showAlert(new Error(`The page takes .onnx files and pictures, but was given ${names}.`));
  }
}

function fileChoice(image: File): PictureChoice {
  return { title: image.name, open: () => openPicture(image.name, image) };
}

function listen(): void {
  const select = element<HTMLSelectElement>('sample');
  select.addEventListener('change', () => {
    const sample = samples.find((candidate) => candidate.id === select.value);
    if (sample) void chooseModel(sample);
  });
  for (const id of ['picture-file', 'model-file']) {
    const input = element<HTMLInputElement>(id);
    input.addEventListener('change', () => {
      useFiles([...(input.files ?? [])]);
      input.value = '';
    });
  }
  element('cancel').addEventListener('click', () => {
    work.abort();
    showProgress('stopped');
    view.setBusy(false);
    view.setStatus('Cancelled', 'Load the model again, or choose another one.');
  });
  element('again').addEventListener('click', () => void chooseModel(current));
  element('camera').addEventListener('click', () => void film());
  element('profile').addEventListener('click', () => {
    const { signal } = work;
    void attempt(signal, () => profile(signal));
  });
  element('forget').addEventListener('click', () => {
    void attempt(work.signal, forgetAll);
  });
  listenForDrops(useFiles);
  // Another tab may have forgotten the models, or loaded some.
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') void showStorage().catch(() => {});
  });
}

async function start(): Promise<void> {
  setUpTheme(element<HTMLButtonElement>('theme'), () => void redrawProfile());
  listen();
  view.listModels(samples, ownSample.id);
  if (new URLSearchParams(location.search).has('check')) {
    await runCheck(() => openSession(ownSample.model, { onProgress: showProgress }));
    return;
  }
  const listed = listSamples().then((all) => {
    samples = all;
    view.listModels(samples, current.id);
  });
  await Promise.all([chooseModel(ownSample), listed]);
}

void start();
