// The profile section: chart, table and note, from one profile of the model.

import type { Profile } from '../api';
import { type Bar, barsOf, clearChart, drawChart } from './chart';
import { element, node, setText } from './dom';
import { milliseconds, plural } from './format';

let shown: readonly Bar[] = [];

export async function showProfile(profile: Profile): Promise<void> {
  shown = barsOf(profile);
  const empty = shown.length === 0;
  element('chart-box').hidden = empty;
  element('profile-details').hidden = empty;
  element('profile-rows').replaceChildren(...shown.map(row));
  if (empty) {
    clearChart();
    const nodes = plural(profile.nodes.length, 'node');
    setText('profile-note', `${nodes} ran, but this adapter does not measure GPU time.${hostNote(profile)}`);
    return;
  }
  setText(
    'profile-note',
    `${plural(profile.nodes.length, 'node')}, ${milliseconds(profile.gpuTime ?? 0)} on the GPU of ${milliseconds(profile.wallTime)} a run.${hostNote(profile)}`,
  );
  await redrawProfile();
}

/** Once more, in the colours of a changed theme. */
export async function redrawProfile(): Promise<void> {
  if (shown.length > 0) await drawChart(element<HTMLCanvasElement>('chart'), shown);
}

export function clearProfile(): void {
  shown = [];
  clearChart();
  element('chart-box').hidden = true;
  element('profile-details').hidden = true;
  setText('profile-note', 'GPU time of each operator, measured once the model has run.');
}

/** What did not run on the GPU, and why. */
function hostNote({ nodes }: Profile): string {
  const steps = nodes.filter((n) => n.reason !== undefined);
  if (steps.length === 0) return '';
  return ` On the host: ${steps.map(({ op, name, reason }) => `${op} "${name}" (${reason})`).join('; ')}.`;
}

function row(bar: Bar): HTMLTableRowElement {
  const made = node('tr', '');
  made.append(
    node('td', '', bar.label),
    node('td', '', bar.kernel),
    node('td', '', milliseconds(bar.time)),
    node('td', '', bar.rate),
  );
  return made;
}
