// The trade as a chart: over the share of zeros, what size, time and accuracy are of the dense network's. Chart.js comes with
// the first point.

import type { Chart } from 'chart.js';
import { resolveColours } from '../chart';
import { element } from '../dom';
import { plural } from '../format';
import type { Point } from './measure';

const nothing = 'Nothing is measured yet';

let drawn: Promise<Chart<'line'>> | undefined;

/** In the page's colours of the moment. */
export async function drawTrade(points: readonly Point[]): Promise<void> {
  drawn ??= makeChart();
  const chart = await drawn;
  const sorted = [...points].sort((a, b) => a.zeros - b.zeros);
  const ran = sorted.flatMap(({ zeros, run }) => (typeof run === 'string' ? [] : [{ zeros, ...run }]));
  const line = <T extends { readonly zeros: number }>(points: readonly T[], value: (point: T) => number) =>
    points.map((point) => ({ x: 100 * point.zeros, y: 100 * value(point) }));
  const series = [
    line(sorted, ({ bytes }) => bytes.after / bytes.before),
    line(ran, ({ time }) => time.after / time.before),
    line(ran, ({ quality }) => quality),
  ];
  series.forEach((data, i) => {
    chart.data.datasets[i]!.data = data;
  });
  chart.update('none');
  const last = sorted.at(-1);
  element('chart').setAttribute('aria-label', last ? `${plural(sorted.length, 'point')}. ${inWords(last)}` : nothing);
}

function inWords({ zeros, bytes, run }: Point): string {
  const share = (value: number) => `${Math.round(100 * value)} %`;
  const size = `At ${share(zeros)} zeros: ${share(bytes.after / bytes.before)} of the bytes`;
  if (typeof run === 'string') return `${size}.`;
  return `${size}, ${share(run.time.after / run.time.before)} of the time, quality ${share(run.quality)}.`;
}

/** For another network, or a changed theme: the next drawing makes it anew. */
export async function clearTrade(): Promise<void> {
  const old = await drawn;
  drawn = undefined;
  old?.destroy();
  element('chart').setAttribute('aria-label', nothing);
}

async function makeChart(): Promise<Chart<'line'>> {
  const { Chart, Legend, LinearScale, LineController, LineElement, PointElement, Tooltip } = await import('chart.js');
  Chart.register(Legend, LinearScale, LineController, LineElement, PointElement, Tooltip);
  const canvas = element<HTMLCanvasElement>('chart');
  const { accent, line, ink, good } = resolveColours(canvas);
  const font = { family: 'system-ui, sans-serif', size: 12 };
  const axis = (text: string) => ({
    type: 'linear' as const,
    min: 0,
    title: { display: true, text, color: ink, font },
    ticks: { color: ink, font, maxTicksLimit: 8 },
    grid: { color: line },
    border: { display: false },
  });
  const dataset = (label: string, colour: string) => ({
    label,
    data: [],
    borderColor: colour,
    backgroundColor: colour,
    borderWidth: 2,
    pointRadius: 4,
    // Points at 0 and at 100 % lie on the edges, and are drawn whole.
    clip: false as const,
  });
  return new Chart(canvas, {
    type: 'line',
    data: { datasets: [dataset('Download', accent), dataset('Time of a run', ink), dataset('Accuracy', good)] },
    options: {
      animation: false,
      maintainAspectRatio: false,
      interaction: { mode: 'nearest', axis: 'x', intersect: false },
      plugins: { legend: { labels: { color: ink, font, boxWidth: 14 } } },
      scales: {
        x: { ...axis('Weights set to zero, %'), max: 100 },
        y: { ...axis('% of the dense network; accuracy in %') },
      },
    },
  });
}
