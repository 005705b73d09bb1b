// The figures and the table of layers of one point, and what the page shows before there is one.

import { element, node, setText } from '../dom';
import { bytes, milliseconds, percent } from '../format';
import type { Point, Run } from './measure';

export function showFigures({ bytes: size, run, compressed }: Point): void {
  setText('fact-size', bytes(size.after));
  setText('fact-size-note', `${percent(size.after / size.before)} of ${bytes(size.before)}`);
  if (typeof run === 'string') clearFacts('time', 'quality');
  else showRun(run);
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
}

function showRun({ time, accuracy, error }: Run): void {
  setText('fact-time', milliseconds(time.after));
  setText(
    'fact-time-note',
    `dense ${milliseconds(time.before)}: ${(time.before / time.after).toFixed(2)}×, ${time.samplesPerRun} at a time`,
  );
  setText('quality-title', accuracy ? 'Accuracy' : 'Answers moved by');
  setText('fact-quality', accuracy ? percent(accuracy.after) : percent(error));
  setText('fact-quality-note', accuracy ? `dense ${percent(accuracy.before)}` : 'relative to their size');
}

export function clearFigures(): void {
  clearFacts('size', 'time', 'quality', 'weights');
  element('layers-details').hidden = true;
  element('layers').replaceChildren();
}

function clearFacts(...facts: readonly ('size' | 'time' | 'quality' | 'weights')[]): void {
  for (const fact of facts) {
    setText(`fact-${fact}`, '–');
    setText(`fact-${fact}-note`, '');
  }
}

const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
