// Draws how many times faster than dense weights sparse ones run, as lines over the share of zeros, for a screenshot.

import {
  Chart,
  Legend,
  LinearScale,
  LineController,
  LineElement,
  LogarithmicScale,
  PointElement,
  Title,
} from 'chart.js';

Chart.register(Legend, LinearScale, LineController, LineElement, LogarithmicScale, PointElement, Title);

export interface Lines {
  readonly title: string;
  readonly series: readonly {
    readonly name: string;
    readonly colour: string;
    /** Pixels drawn and left out in turns; none for a whole line. */
    readonly dash: readonly number[];
    /** Per cent of zeros, and how many times faster. */
    readonly points: readonly { readonly x: number; readonly y: number }[];
  }[];
}

function draw({ title, series }: Lines): void {
  Chart.defaults.font = { ...Chart.defaults.font, family: 'system-ui, sans-serif', size: 13 };
  Chart.defaults.color = '#222';
  const canvas = document.body.appendChild(document.createElement('canvas'));
  new Chart(canvas, {
    type: 'line',
    data: {
      datasets: [
        ...series.map(({ name, colour, dash, points }) => ({
          label: name,
          data: [...points],
          borderColor: colour,
          backgroundColor: colour,
          borderDash: [...dash],
        })),
        {
          label: 'dense',
          data: [
            { x: 50, y: 1 },
            { x: 98, y: 1 },
          ],
          borderColor: '#222',
          borderWidth: 1,
          pointRadius: 0,
        },
      ],
    },
    options: {
      animation: false,
      maintainAspectRatio: false,
      devicePixelRatio: 1,
      plugins: { title: { display: true, text: title, font: { size: 17 } }, legend: { position: 'right' } },
      scales: {
        x: { type: 'linear', min: 50, max: 100, title: { display: true, text: 'zeros among the weights, per cent' } },
        y: {
          type: 'logarithmic',
          title: { display: true, text: "times as fast as Lepton's dense kernel; higher is better" },
          ticks: { callback: (value) => (/^[125]/.test(String(value).replace(/^0\.0*/, '')) ? `${value}×` : '') },
        },
      },
    },
  });
}

Object.assign(globalThis, { draw });
