// The ten digits as the ways a pen takes, several for those that people write in several ways. Points lie in a square from
// 0 to 1, y downwards; a curve goes smoothly through its points.

import type { Point, Stroke } from './ink';

const pointsBetween = 7;

/** Catmull-Rom, which passes through every point. */
function curve(...points: readonly Point[]): Stroke {
  const at = (i: number) => points[Math.min(points.length - 1, Math.max(0, i))] as Point;
  const dense: Point[] = [];
  for (let i = 0; i < points.length - 1; i++) {
    const [a, b, c, d] = [at(i - 1), at(i), at(i + 1), at(i + 2)];
    for (let step = 0; step < pointsBetween; step++) {
      const t = step / pointsBetween;
      const blend = (axis: 0 | 1) =>
        b[axis] +
        0.5 *
          t *
          (c[axis] -
            a[axis] +
            t *
              (2 * a[axis] - 5 * b[axis] + 4 * c[axis] - d[axis] + t * (3 * (b[axis] - c[axis]) + d[axis] - a[axis])));
      dense.push([blend(0), blend(1)]);
    }
  }
  return [...dense, at(points.length - 1)];
}

/** Straight from point to point, with points between so that it bends when it is distorted. */
function line(...points: readonly Point[]): Stroke {
  return points.flatMap((to, i) => {
    const from = points[i - 1];
    if (!from) return [to];
    return Array.from({ length: pointsBetween }, (_, k): Point => {
      const t = (k + 1) / pointsBetween;
      return [from[0] + t * (to[0] - from[0]), from[1] + t * (to[1] - from[1])];
    });
  });
}

function oval(x: number, y: number, width: number, height: number): Stroke {
  return Array.from({ length: 25 }, (_, i): Point => {
    const angle = (i / 24) * 2 * Math.PI - Math.PI / 2;
    return [x + width * Math.cos(angle), y + height * Math.sin(angle)];
  });
}

/** By digit: one or more ways to write it. */
export const skeletons: readonly (readonly (readonly Stroke[])[])[] = [
  [
    [oval(0.5, 0.5, 0.3, 0.42)],
    [oval(0.5, 0.5, 0.4, 0.42)],
    [
      curve(
        [0.58, 0.1],
        [0.3, 0.24],
        [0.22, 0.56],
        [0.36, 0.88],
        [0.62, 0.86],
        [0.76, 0.54],
        [0.68, 0.2],
        [0.46, 0.12],
      ),
    ],
  ],
  [
    [line([0.5, 0.08], [0.5, 0.92])],
    [line([0.34, 0.26], [0.52, 0.08], [0.52, 0.92])],
    [line([0.34, 0.24], [0.5, 0.08], [0.5, 0.92]), line([0.3, 0.92], [0.7, 0.92])],
  ],
  [
    [
      curve([0.24, 0.28], [0.36, 0.12], [0.56, 0.09], [0.72, 0.22], [0.68, 0.42], [0.48, 0.66], [0.24, 0.9]),
      line([0.24, 0.9], [0.78, 0.9]),
    ],
    [
      curve(
        [0.24, 0.24],
        [0.46, 0.09],
        [0.7, 0.22],
        [0.62, 0.5],
        [0.36, 0.82],
        [0.22, 0.86],
        [0.26, 0.73],
        [0.46, 0.8],
        [0.8, 0.88],
      ),
    ],
  ],
  [
    [
      curve([0.26, 0.18], [0.46, 0.08], [0.68, 0.2], [0.62, 0.4], [0.42, 0.48]),
      curve([0.42, 0.48], [0.68, 0.56], [0.72, 0.76], [0.5, 0.92], [0.24, 0.82]),
    ],
    [
      line([0.26, 0.1], [0.7, 0.1], [0.44, 0.44]),
      curve([0.44, 0.44], [0.7, 0.52], [0.74, 0.76], [0.5, 0.92], [0.24, 0.84]),
    ],
  ],
  [
    [line([0.32, 0.1], [0.24, 0.54], [0.8, 0.54]), line([0.68, 0.1], [0.62, 0.92])],
    [line([0.66, 0.92], [0.64, 0.08], [0.2, 0.62], [0.84, 0.62])],
    [curve([0.3, 0.1], [0.26, 0.4], [0.4, 0.54], [0.66, 0.48]), line([0.72, 0.1], [0.66, 0.92])],
  ],
  [
    [
      line([0.74, 0.1], [0.36, 0.1], [0.3, 0.46]),
      curve([0.3, 0.46], [0.5, 0.4], [0.7, 0.54], [0.7, 0.78], [0.48, 0.92], [0.24, 0.84]),
    ],
    [curve([0.72, 0.12], [0.5, 0.1], [0.36, 0.18], [0.32, 0.4], [0.54, 0.46], [0.68, 0.66], [0.54, 0.9], [0.28, 0.88])],
  ],
  [
    [
      curve(
        [0.66, 0.1],
        [0.42, 0.26],
        [0.29, 0.56],
        [0.33, 0.84],
        [0.52, 0.92],
        [0.7, 0.8],
        [0.66, 0.6],
        [0.48, 0.55],
        [0.31, 0.7],
      ),
    ],
    [curve([0.46, 0.08], [0.33, 0.34], [0.3, 0.68], [0.42, 0.9], [0.62, 0.88], [0.68, 0.7], [0.52, 0.58], [0.31, 0.7])],
  ],
  [
    [line([0.24, 0.12], [0.76, 0.12], [0.44, 0.92])],
    [line([0.24, 0.12], [0.76, 0.12], [0.46, 0.92]), line([0.36, 0.52], [0.74, 0.5])],
    [line([0.24, 0.24], [0.26, 0.12], [0.74, 0.14]), curve([0.74, 0.14], [0.58, 0.44], [0.48, 0.7], [0.46, 0.92])],
  ],
  [
    [
      curve(
        [0.66, 0.16],
        [0.46, 0.08],
        [0.32, 0.22],
        [0.46, 0.44],
        [0.66, 0.62],
        [0.68, 0.84],
        [0.48, 0.92],
        [0.3, 0.8],
        [0.4, 0.58],
        [0.62, 0.38],
        [0.68, 0.2],
      ),
    ],
    [oval(0.5, 0.28, 0.19, 0.2), oval(0.5, 0.7, 0.23, 0.22)],
  ],
  [
    [
      curve([0.69, 0.26], [0.54, 0.1], [0.36, 0.16], [0.29, 0.36], [0.44, 0.5], [0.62, 0.44], [0.69, 0.26]),
      line([0.69, 0.26], [0.63, 0.92]),
    ],
    [
      curve([0.7, 0.24], [0.5, 0.08], [0.3, 0.24], [0.4, 0.48], [0.62, 0.44], [0.71, 0.24]),
      curve([0.71, 0.24], [0.71, 0.56], [0.62, 0.84], [0.36, 0.92]),
    ],
  ],
];
