// The page of smaller networks: a slider and a precision, and what they make of download, time and accuracy, measured here.
// Invariant: what is shown is of the setting that is chosen; work for an older one is given up.

import { hideAlert, isAbort, showAlert } from '../alert';
import { element, setText } from '../dom';
import { percent } from '../format';
import { setUpTheme } from '../theme';
import { clearTrade, drawTrade } from './chart';
import { clearFigures, showFigures } from './figures';
import { measure, nameOf, type Point, type Setting } from './measure';
import { fileSubject, ownSubjects, type Subject } from './subjects';

const stops = [0, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98];
/** A slider that is being dragged is waited for. Milliseconds. */
const settles = 150;

let subjects = ownSubjects;
/** By subject, structure and precision, and then by share of zeros. */
const measured = new Map<string, Map<number, Point>>();
/** What the buttons hand out. */
let shown: { readonly title: string; readonly point: Point } | undefined;
let working = new AbortController();

/** Buttons that need a point. */
const outcomes = ['sweep', 'download', 'report'] as const;

const button = (id: string) => element<HTMLButtonElement>(id);
const select = (id: string) => element<HTMLSelectElement>(id);

function subject(): Subject {
  return subjects.find(({ id }) => id === select('model').value) ?? (subjects[0] as Subject);
}

function setting(zeros = Number(element<HTMLInputElement>('zeros').value) / 100): Setting {
  return {
    zeros,
    structure: select('structure').value as Setting['structure'],
    precision: select('precision').value as Setting['precision'],
  };
}

/** The points that share everything but the zeros. */
function pointsOf(of: Subject, { structure, precision }: Setting): Map<number, Point> {
  const key = `${of.id} ${structure} ${precision}`;
  const points = measured.get(key) ?? new Map<number, Point>();
  measured.set(key, points);
  return points;
}

/** Measures what is chosen, unless it was; then the next of `more`. */
async function update(more: readonly number[] = []): Promise<void> {
  working.abort();
  working = new AbortController();
  const { signal } = working;
  hideAlert();
  const [of, chosen] = [subject(), setting()];
  setText('zeros-shown', percent(chosen.zeros, 0));
  setText('model-note', of.note);
  try {
    await new Promise((resolve) => setTimeout(resolve, settles));
    for (const wanted of [chosen, ...more.map((zeros) => setting(zeros))]) {
      if (signal.aborted) return;
      await reach(of, wanted, signal);
    }
    const point = pointsOf(of, chosen).get(chosen.zeros);
    setText('status', typeof point?.run === 'string' ? point.run : 'Measured on this device.');
  } catch (error) {
    if (signal.aborted || isAbort(error)) return;
    setText('status', '');
    showAlert(error);
  }
}

async function reach(of: Subject, wanted: Setting, signal: AbortSignal): Promise<void> {
  const points = pointsOf(of, wanted);
  const share = percent(wanted.zeros, 0);
  const point =
    points.get(wanted.zeros) ??
    (await measure(of, wanted, { signal, onProgress: (text) => setText('status', `${share} zeros: ${text}`) }));
  points.set(wanted.zeros, point);
  if (signal.aborted) return;
  if (nameOf(point) === nameOf(setting())) show(of, point);
  await drawTrade([...points.values()]);
}

function show(of: Subject, point: Point): void {
  shown = { title: of.title, point };
  showFigures(point);
  for (const id of outcomes) button(id).disabled = false;
}

/** Nothing of the network before stays under the name of this one, which may never be measured. */
async function changeSubject(): Promise<void> {
  working.abort();
  shown = undefined;
  clearFigures();
  for (const id of outcomes) button(id).disabled = true;
  await clearTrade();
  await update();
}

/** Hands out a file, or opens it in a tab of its own. */
function handOut(content: BlobPart, type: string, name?: string): void {
  const url = URL.createObjectURL(new Blob([content], { type }));
  const link = document.createElement('a');
  link.href = url;
  if (name === undefined) link.target = '_blank';
  else link.download = name;
  link.click();
  // The browser has begun to read by then.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

function listSubjects(chosen: string): void {
  select('model').replaceChildren(...subjects.map(({ id, title }) => new Option(title, id, false, id === chosen)));
}

function listen(): void {
  element('zeros').addEventListener('input', () => void update());
  for (const id of ['structure', 'precision'])
    select(id).addEventListener('change', () => void clearTrade().then(() => update()));
  select('model').addEventListener('change', () => void changeSubject());
  button('sweep').addEventListener('click', () => void update(stops));
  button('download').addEventListener('click', () => {
    if (!shown) return;
    const { title, point } = shown;
    const base = title.replace(/\.onnx$|[^\w-]+/g, '-').replace(/-+$/, '');
    handOut(point.compressed.bytes, 'application/octet-stream', `${base}-${nameOf(point).replaceAll(' ', '-')}.onnx`);
  });
  button('report').addEventListener('click', () => {
    if (shown) handOut(shown.point.compressed.html, 'text/html');
  });
  const file = element<HTMLInputElement>('model-file');
  file.addEventListener('change', () => {
    const [given] = file.files ?? [];
    file.value = '';
    if (!given) return;
    const made = fileSubject(given);
    subjects = [...subjects.filter(({ id }) => id !== made.id), made];
    listSubjects(made.id);
    void changeSubject();
  });
}

setUpTheme(
  button('theme'),
  () => void clearTrade().then(() => drawTrade([...pointsOf(subject(), setting()).values()])),
);
listSubjects((ownSubjects[0] as Subject).id);
listen();
void update();
