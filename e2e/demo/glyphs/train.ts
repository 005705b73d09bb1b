// Fits the detector to drawn scenes: focal loss on class heat maps, smooth L1 on boxes, Adam with a cosine
// schedule. In: a seeded generator. Out: the trained layers. Invariant: same seed, same weights.

import { boxUnit, glyphClasses, mean, std, stride } from '../../../src/demo/decode/glyphs';
import type { Plane } from './layers';
import { backward, createNetwork, forward, headRows, type Layer, rows } from './network';
import { drawScene, type Random, type Scene } from './scene';

export interface TrainOptions {
  readonly steps: number;
  /** Width and height of a training scene in pixels, a multiple of 8. */
  readonly size: number;
  readonly rate: number;
  readonly onStep?: (step: number, loss: number) => void;
}

export function train(next: Random, options: TrainOptions): Layer[] {
  const network = createNetwork(next);
  const moments = network.map(({ weight, bias }) => ({ weight: startMoments(weight), bias: startMoments(bias) }));
  for (let step = 1; step <= options.steps; step++) {
    const count = 3 + Math.floor(next() * 7);
    const scene = drawScene(next, options.size, options.size, { count, scale: 1, grain: 0.05 });
    const trace = forward(network, normalise(scene));
    const { grad, value } = lossOf(trace.planes.at(-1)!, scene);
    backward(network, trace, grad);
    const warm = Math.min(1, step / 40);
    const rate = options.rate * warm * (0.02 + 0.98 * (0.5 + 0.5 * Math.cos((Math.PI * step) / options.steps)));
    network.forEach((layer, l) => {
      adam(layer.weight, layer.weightGrad, moments[l]!.weight, rate, step);
      adam(layer.bias, layer.biasGrad, moments[l]!.bias, rate, step);
    });
    options.onStep?.(step, value);
  }
  return network;
}

export function normalise(scene: Scene): Plane {
  const data = scene.pixels.map((v) => (v - mean) / std);
  return { channels: 3, height: scene.height, width: scene.width, data };
}

/** Gradient and value of the loss of one picture, per glyph in it. */
function lossOf(head: Plane, scene: Scene): { grad: Float32Array; value: number } {
  const n = head.height * head.width;
  const presence = new Float32Array(n);
  const grad = new Float32Array(headRows * n);
  const scale = 1 / Math.max(1, scene.glyphs.length);
  let value = 0;
  for (const glyph of scene.glyphs) {
    const w = (glyph.x1 - glyph.x0) / stride;
    const h = (glyph.y1 - glyph.y0) / stride;
    const x = (glyph.x0 + glyph.x1) / 2 / stride - 0.5;
    const y = (glyph.y0 + glyph.y1) / 2 / stride - 0.5;
    const [cx, cy] = [Math.round(x), Math.round(y)];
    const sigma = Math.max(0.5, 0.12 * (w + h));
    for (let row = 0; row < head.height; row++) {
      for (let column = 0; column < head.width; column++) {
        const i = row * head.width + column;
        presence[i] = Math.max(presence[i]!, Math.exp(-((column - cx) ** 2 + (row - cy) ** 2) / (2 * sigma * sigma)));
        if (Math.abs(column - cx) > 1 || Math.abs(row - cy) > 1) continue;
        const share = (column === cx && row === cy ? 1 : 0.25) * scale;
        const wanted = [x - column, y - row, Math.log((w * stride) / boxUnit), Math.log((h * stride) / boxUnit)];
        value += share * (boxLoss(head, grad, i, wanted, share) + classLoss(head, grad, i, glyph.kind, share));
      }
    }
  }
  return { grad, value: value + scale * presenceLoss(head, grad, presence, scale) };
}

/** Smooth L1 of the four box terms of one cell. */
function boxLoss(head: Plane, grad: Float32Array, cell: number, wanted: readonly number[], share: number): number {
  const n = head.height * head.width;
  let value = 0;
  wanted.forEach((goal, b) => {
    const j = (rows.box + b) * n + cell;
    const d = head.data[j]! - goal;
    value += Math.abs(d) < 0.1 ? 5 * d * d : Math.abs(d) - 0.05;
    grad[j]! += share * Math.max(-1, Math.min(1, d / 0.1));
  });
  return value;
}

/** Cross entropy of one cell's softmax over the classes. */
function classLoss(head: Plane, grad: Float32Array, cell: number, kind: number, share: number): number {
  const n = head.height * head.width;
  const logits = glyphClasses.map((_, c) => head.data[(rows.classes + c) * n + cell]!);
  const top = Math.max(...logits);
  const total = logits.reduce((sum, z) => sum + Math.exp(z - top), 0);
  logits.forEach((z, c) => {
    grad[(rows.classes + c) * n + cell]! += share * (Math.exp(z - top) / total - (c === kind ? 1 : 0));
  });
  return Math.log(total) + top - logits[kind]!;
}

/** Focal loss of "a glyph's centre is here", softened around the centres (https://arxiv.org/abs/1808.01244). */
function presenceLoss(head: Plane, grad: Float32Array, presence: Float32Array, scale: number): number {
  let value = 0;
  presence.forEach((t, i) => {
    const p = Math.min(1 - 1e-6, Math.max(1e-6, 1 / (1 + Math.exp(-head.data[i]!))));
    const far = (1 - t) ** 4;
    if (t === 1) {
      value -= (1 - p) ** 2 * Math.log(p);
      grad[i] = scale * (1 - p) ** 2 * (2 * p * Math.log(p) - (1 - p));
    } else {
      value -= far * p * p * Math.log(1 - p);
      grad[i] = scale * far * p * p * (p - 2 * (1 - p) * Math.log(1 - p));
    }
  });
  return value;
}

interface Moments {
  readonly mean: Float32Array;
  readonly square: Float32Array;
}

function startMoments(value: Float32Array): Moments {
  return { mean: new Float32Array(value.length), square: new Float32Array(value.length) };
}

/** One Adam update; the gradient is cleared. */
function adam(value: Float32Array, grad: Float32Array, { mean: m, square }: Moments, rate: number, step: number): void {
  const [beta1, beta2] = [0.9, 0.99];
  const unbias1 = 1 - beta1 ** step;
  const unbias2 = 1 - beta2 ** step;
  for (let i = 0; i < value.length; i++) {
    m[i] = beta1 * m[i]! + (1 - beta1) * grad[i]!;
    square[i] = beta2 * square[i]! + (1 - beta2) * grad[i]! ** 2;
    value[i]! -= (rate * (m[i]! / unbias1)) / (Math.sqrt(square[i]! / unbias2) + 1e-8);
    grad[i] = 0;
  }
}
