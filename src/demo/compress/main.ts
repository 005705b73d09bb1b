// The page of smaller networks: a slider and a precision, and what they make of download, time and accuracy, measured here.
// Invariant: what is shown is of the setting that is chosen; work for an older one is given up.

import { hideAlert, isAbort, showAlert } from '../alert';
import { element, node, setText } from '../dom';
import { bytes, milliseconds, percent } from '../format';
import { setUpTheme } from '../theme';
import { clearTrade, drawTrade } from './chart';
import { measure, nameOf, type Point, type Setting } from './measure';
import { fileSubject, ownSubjects, type Subject } from './subjects';

const stops = [0, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98];
/** A slider that is being dragged is waited for. Milliseconds. */
const settles = 150;

let subjects = ownSubjects;
/** By subject, structure and precision, and then by share of zeros. */
const measured = new Map<string, Map<number, Point>>();
let shown: Point | undefined;
let working = new AbortController();

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
    setText('status', 'Measured on this device.');
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
  if (nameOf(point) === nameOf(setting())) show(point);
  await drawTrade([...points.values()]);
}

function show(point: Point): void {
  shown = point;
  const { bytes: size, time, accuracy, error, compressed } = point;
  setText('fact-size', bytes(size.after));
  setText('fact-size-note', `${percent(size.after / size.before)} of ${bytes(size.before)}`);
  setText('fact-time', milliseconds(time.after));
  setText(
    'fact-time-note',
    `dense ${milliseconds(time.before)}: ${(time.before / time.after).toFixed(2)}×, ${time.samplesPerRun} at a time`,
  );
  setText('quality-title', accuracy ? 'Accuracy' : 'Answers moved by');
  setText('fact-quality', accuracy ? percent(accuracy.after) : percent(error));
  setText('fact-quality-note', accuracy ? `dense ${percent(accuracy.before)}` : 'relative to their size');
  const { layers } = compressed.report;
  const [left, all] = [sum(layers.map(({ after }) => after.nonZeros)), sum(layers.map(({ elements }) => elements))];
  setText('fact-weights', left.toLocaleString('en'));
  setText('fact-weights-note', `of ${all.toLocaleString('en')}`);
  element('layers-details').hidden = false;
  element('layers').replaceChildren(
    ...layers.map(({ name, elements, before, after, weightError, left: reason }) => {
      const row = node('tr', '');
      const cells = [
        name,
        elements.toLocaleString('en'),
        reason ? `${after.form} (${reason})` : after.form,
        percent(1 - after.nonZeros / elements),
        bytes(before.bytes),
        bytes(after.bytes),
        percent(weightError),
      ];
      row.append(...cells.map((cell) => node('td', '', cell)));
      return row;
    }),
  );
  for (const id of ['sweep', 'download', 'report']) button(id).disabled = false;
}

const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);

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
  select('model').addEventListener('change', () => void clearTrade().then(() => update()));
  button('sweep').addEventListener('click', () => void update(stops));
  button('download').addEventListener('click', () => {
    if (!shown) return;
    const name = `${subject()
      .title.replace(/\.onnx$|[^\w-]+/g, '-')
      .replace(/-+$/, '')}-${nameOf(shown).replaceAll(' ', '-')}.onnx`;
    handOut(shown.compressed.bytes, 'application/octet-stream', name);
  });
  button('report').addEventListener('click', () => {
    if (shown) handOut(shown.compressed.html, 'text/html');
  });
  const file = element<HTMLInputElement>('model-file');
  file.addEventListener('change', () => {
    const [given] = file.files ?? [];
    file.value = '';
    if (!given) return;
    const made = fileSubject(given);
    subjects = [...subjects.filter(({ id }) => id !== made.id), made];
    listSubjects(made.id);
    void clearTrade().then(() => update());
  });
}

setUpTheme(
  button('theme'),
  () => void clearTrade().then(() => drawTrade([...pointsOf(subject(), setting()).values()])),
);
listSubjects((ownSubjects[0] as Subject).id);
listen();
void update();
