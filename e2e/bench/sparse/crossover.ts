// The picture of the crossover: how many times faster than for dense weights the kernels of a product are, by the share of
// zeros.

import type { Lines } from '../pages/crossover';
import { type Shot, takeScreenshot } from '../picture';
import type { SparseResult } from './run';

declare const draw: (lines: Lines) => void;

const [width, height] = [1100, 640];
const colours = ['#d1495b', '#2e6f95', '#edae49', '#66a182', '#7d4f9e', '#8d6346', '#5b6770', '#c45ab3'];

/** Of lines that have a colour in common. */
const dashes = [[], [7, 4], [2, 3]];

/** @param server one that has the built page script at /crossover/page.js */
export async function takeCrossover(
  results: readonly SparseResult[],
  title: string,
  place: Pick<Shot, 'browser' | 'server' | 'path'>,
): Promise<void> {
  const lines: Lines = { title, series: seriesOf(results) };
  await takeScreenshot('crossover', (lines) => draw(lines), lines, { ...place, width, height });
}

/** A line for each shape that was measured at several shares of zeros. */
function seriesOf(results: readonly SparseResult[]): Lines['series'] {
  const lines = results.flatMap(({ shape, dense, levels }) => {
    const own = dense.lepton.kernelTime;
    const points = levels.flatMap(({ structure, zeros, kernelTime: time }) =>
      structure === 'random' && own !== undefined && time !== undefined ? [{ x: 100 * zeros, y: own / time }] : [],
    );
    return points.length > 1 ? [{ name: shape, points }] : [];
  });
  return lines.map((line, i) => ({
    ...line,
    colour: colours[i % colours.length] as string,
    dash: dashes[Math.floor(i / colours.length) % dashes.length] as readonly number[],
  }));
}
