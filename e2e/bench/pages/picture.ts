// Draws results as grouped bars on a logarithmic scale, for a screenshot.

import { BarController, BarElement, CategoryScale, Chart, Legend, LogarithmicScale, Title } from 'chart.js';

Chart.register(BarController, BarElement, CategoryScale, Legend, LogarithmicScale, Title);

export interface Picture {
  readonly title: string;
  readonly labels: readonly string[];
  /** One bar a label; null where there is no time. Milliseconds. */
  readonly series: readonly {
    readonly name: string;
    readonly colour: string;
    readonly values: readonly (number | null)[];
  }[];
}

function draw({ title, labels, series }: Picture): void {
  Chart.defaults.font = { ...Chart.defaults.font, family: 'system-ui, sans-serif', size: 13 };
  Chart.defaults.color = '#222';
  const canvas = document.body.appendChild(document.createElement('canvas'));
  new Chart(canvas, {
    type: 'bar',
    data: {
      labels: [...labels],
      datasets: series.map(({ name, colour, values }) => ({
        label: name,
        backgroundColor: colour,
        data: [...values],
        barPercentage: 0.95,
        categoryPercentage: 0.8,
      })),
    },
    options: {
      indexAxis: 'y',
      animation: false,
      maintainAspectRatio: false,
      devicePixelRatio: 1,
      plugins: {
        title: { display: true, text: title, font: { size: 17 } },
        legend: { position: 'top' },
      },
      scales: {
        x: {
          type: 'logarithmic',
          position: 'top',
          title: { display: true, text: 'milliseconds, median; shorter is better' },
          ticks: {
            maxRotation: 0,
            callback: (value) => (/^1/.test(Number(value).toExponential()) ? String(value) : ''),
          },
        },
        y: { ticks: { autoSkip: false }, grid: { display: false } },
      },
    },
  });
}

Object.assign(globalThis, { draw });
