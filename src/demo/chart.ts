// The per-operator profile as a horizontal bar chart: the slowest nodes first, the rest as one bar.
// Chart.js comes with the first profile that is shown, never with the page itself.

import type { Chart as ChartObject } from 'chart.js';
import type { NodeProfile, Profile } from '../api';
import { milliseconds } from './format';
import { nextTask } from './pace';

const barsAtMost = 16;

export interface Bar {
  readonly label: string;
  readonly kernel: string;
  /** Milliseconds on the GPU. */
  readonly time: number;
  readonly rate: string;
  /** Many small nodes as one. */
  readonly rest?: true;
}

/** The bars of a profile; empty where the adapter gives no times. */
export function barsOf({ nodes }: Profile): Bar[] {
  const timed = nodes.filter((node) => node.gpuTime !== undefined).sort((a, b) => b.gpuTime! - a.gpuTime!);
  const shown = timed.length > barsAtMost ? timed.slice(0, barsAtMost - 1) : timed;
  const rest = timed.slice(shown.length);
  const bars: Bar[] = shown.map((node) => ({
    label: `${node.op} ${node.name}`,
    kernel: node.chosenBy === 'measurement' ? `${node.kernel} (measured)` : node.kernel,
    time: node.gpuTime!,
    rate: rateOf(node),
  }));
  if (rest.length > 0) {
    const time = rest.reduce((sum, node) => sum + node.gpuTime!, 0);
    bars.push({ label: `${rest.length} more nodes`, kernel: '', time, rate: '–', rest: true });
  }
  return bars;
}

/** Arithmetic or bytes a second, and what share that is of what the adapter can do. */
function rateOf({ flops, flopsPerSecond, bytesPerSecond, roofline }: NodeProfile): string {
  if (flopsPerSecond === undefined || bytesPerSecond === undefined) return '–';
  const [rate, unit] = flops > 0 ? [flopsPerSecond, 'GFLOP/s'] : [bytesPerSecond, 'GB/s'];
  const share = roofline === undefined ? '' : `, ${Math.round(100 * roofline)} %`;
  return `${(rate / 1e9).toPrecision(2)} ${unit}${share}`;
}

let current: ChartObject | undefined;

/** Draws the bars into the canvas, in the page's colours of the moment. */
export async function drawChart(canvas: HTMLCanvasElement, bars: readonly Bar[]): Promise<void> {
  const { BarController, BarElement, CategoryScale, Chart, LinearScale, Tooltip } = await import('chart.js');
  Chart.register(BarController, BarElement, CategoryScale, LinearScale, Tooltip);
  await nextTask(); // evaluating the library and drawing with it are two tasks
  clearChart();
  const colours = resolveColours(canvas);
  const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
  const { ink } = colours;
  const font = { family: 'system-ui, sans-serif', size: 12 };
  canvas.parentElement!.style.height = `${bars.length * 24 + 44}px`;
  current = new Chart(canvas, {
    type: 'bar',
    data: {
      labels: bars.map((bar) => bar.label),
      datasets: [
        {
          data: bars.map((bar) => bar.time),
          backgroundColor: bars.map((bar) => (bar.rest ? colours.muted : colours.accent)),
          borderRadius: 3,
          maxBarThickness: 16,
        },
      ],
    },
    options: {
      indexAxis: 'y',
      animation: still ? false : { duration: 250 },
      maintainAspectRatio: false,
      plugins: {
        legend: { display: false },
        tooltip: {
          callbacks: {
            label: (item) => {
              const bar = bars[item.dataIndex]!;
              return [milliseconds(bar.time), bar.kernel, bar.rate === '–' ? '' : bar.rate].filter(Boolean);
            },
          },
        },
      },
      scales: {
        x: {
          title: { display: true, text: 'GPU time in milliseconds', color: ink, font },
          ticks: { color: ink, font },
          grid: { color: colours.line },
          border: { display: false },
        },
        y: {
          ticks: {
            color: ink,
            font,
            autoSkip: false,
            callback: (_, index) => shorten(bars[index]!.label, canvas.clientWidth < 480 ? 18 : 40),
          },
          grid: { display: false },
          border: { color: colours.line },
        },
      },
    },
  });
}

export function clearChart(): void {
  current?.destroy();
  current = undefined;
}

/** The page's colours as a canvas understands them, with light-dark() resolved. */
export function resolveColours(near: HTMLElement): Record<'accent' | 'good' | 'muted' | 'line' | 'ink', string> {
  const probe = document.createElement('span');
  // Forced colours would make one colour of all.
  probe.style.setProperty('forced-color-adjust', 'none');
  near.parentElement!.append(probe);
  const read = (name: string) => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  };
  const colours = {
    accent: read('--accent'),
    good: read('--good'),
    muted: read('--muted'),
    line: read('--line'),
    ink: read('--ink-2'),
  };
  probe.remove();
  return colours;
}

/** Keeps both ends: the operator is in front, and names differ at the back. */
function shorten(text: string, length: number): string {
  if (text.length <= length) return text;
  const half = (length - 1) / 2;
  return `${text.slice(0, Math.ceil(half))}…${text.slice(-Math.floor(half))}`;
}
