// The curves of training: loss, and the share of digits that are recognised, over the batches. Chart.js comes with the first
// curve that is shown.

import type { Chart } from 'chart.js';
import { resolveColours } from '../chart';
import { element } from '../dom';
import { percent } from '../format';
import type { TrainingProgress } from './progress';

interface Curves {
  readonly loss: Chart<'line'>;
  readonly accuracy: Chart<'line'>;
}

let drawn: Promise<Curves> | undefined;

/** In the page's colours of the moment. */
export async function drawCurves(progress: TrainingProgress): Promise<void> {
  drawn ??= makeCurves();
  const { loss, accuracy } = await drawn;
  const { points, epochs } = progress;
  setData(loss, [points.map(({ batch, loss }) => ({ x: batch, y: loss }))]);
  setData(accuracy, [
    points.map(({ batch, accuracy }) => ({ x: batch, y: 100 * accuracy })),
    epochs.map(({ batch, heldOut }) => ({ x: batch, y: 100 * heldOut })),
  ]);
  const last = points.at(-1);
  if (!last) return;
  const first = points[0]!;
  describe('curve-loss', `Loss over ${last.batch} batches: from ${first.loss.toFixed(3)} to ${last.loss.toFixed(3)}`);
  describe('curve-accuracy', `Recognised: from ${percent(first.accuracy)} to ${percent(last.accuracy)}`);
}

/** For a changed theme: the next drawing makes them anew. */
export async function clearCurves(): Promise<void> {
  const old = await drawn;
  drawn = undefined;
  old?.loss.destroy();
  old?.accuracy.destroy();
}

function setData(chart: Chart<'line'>, series: readonly { x: number; y: number }[][]): void {
  series.forEach((data, i) => {
    chart.data.datasets[i]!.data = data;
  });
  chart.update('none');
}

function describe(id: string, text: string): void {
  element(id).setAttribute('aria-label', text);
}

async function makeCurves(): Promise<Curves> {
  const { Chart, Legend, LinearScale, LineController, LineElement, PointElement, Tooltip } = await import('chart.js');
  Chart.register(Legend, LinearScale, LineController, LineElement, PointElement, Tooltip);
  const canvas = element<HTMLCanvasElement>('curve-loss');
  const { accent, line, ink, good } = resolveColours(canvas);
  const font = { family: 'system-ui, sans-serif', size: 12 };
  const axis = (text: string) => ({
    type: 'linear' as const,
    title: { display: true, text, color: ink, font },
    ticks: { color: ink, font, maxTicksLimit: 6 },
    grid: { color: line },
    border: { display: false },
  });
  const make = (id: string, title: string, labels: readonly string[], top?: number) =>
    new Chart(element<HTMLCanvasElement>(id), {
      type: 'line',
      data: {
        datasets: labels.map((label, i) => ({
          label,
          data: [],
          borderColor: i === 0 ? accent : good,
          backgroundColor: i === 0 ? accent : good,
          borderWidth: 2,
          pointRadius: i === 0 ? 0 : 3,
          // Beyond the area: a line along 100 % is drawn whole.
          clip: 4,
        })),
      },
      options: {
        animation: false,
        maintainAspectRatio: false,
        interaction: { mode: 'nearest', axis: 'x', intersect: false },
        plugins: {
          legend: { display: labels.length > 1, labels: { color: ink, font, boxWidth: 14 } },
        },
        scales: {
          x: { ...axis('Batches'), min: 0 },
          y: { ...axis(title), min: 0, ...(top !== undefined && { max: top }) },
        },
      },
    });
  return {
    loss: make('curve-loss', 'Loss', ['Loss']),
    accuracy: make('curve-accuracy', 'Recognised, %', ['Trained on', 'Held out'], 100),
  };
}
