// Pruning: which weights become zero. Every kind is a choice among units (single weights or blocks of them) by their
// scores, the lowest first, until the share asked for is met. Scores are magnitudes unless others are given.
// In: a layer's weights with their view; out: the same weights with zeros.

import type { MatrixView } from './layers';
import { type Pruning, ratioOf } from './options';

export interface Prunable {
  /** Names that the share may be given by. */
  readonly names: readonly string[];
  readonly view: MatrixView;
  readonly weights: Float32Array;
  /** By weight how much it matters, none below zero; default its magnitude. */
  readonly scores?: Float32Array;
}

/** Copies of the layers' weights with zeros in them; undefined for a layer that no share was given for. */
export function prune(layers: readonly Prunable[], pruning: Pruning): (Float32Array | undefined)[] {
  const { structure, sparsity, scope } = pruning;
  const pruned = layers.map(({ weights }) => weights.slice());
  const ratio = ratioOf(structure);
  if (ratio) {
    for (const [i, layer] of layers.entries()) keepOfEach(layer, pruned[i] as Float32Array, ratio.n, ratio.m);
    return pruned;
  }
  if (structure === 'balanced') {
    return layers.map((layer, i) => {
      const share = shareOf(layer, sparsity);
      return share === undefined ? undefined : balance(layer, pruned[i] as Float32Array, share);
    });
  }
  const [height, width] =
    structure === 'unstructured' ? [1, 1] : (structure.split('x').map(Number) as [number, number]);
  if (scope === 'global') {
    zeroLowest(
      layers.map((layer) => blocksOf(layer, height, width)),
      pruned,
      sparsity as number,
    );
    return pruned;
  }
  return layers.map((layer, i) => {
    const share = shareOf(layer, sparsity);
    if (share === undefined) return undefined;
    zeroLowest([blocksOf(layer, height, width)], [pruned[i] as Float32Array], share);
    return pruned[i];
  });
}

function shareOf({ names }: Prunable, sparsity: Pruning['sparsity']): number | undefined {
  if (typeof sparsity !== 'object') return sparsity;
  const name = names.find((n) => n in sparsity);
  return name === undefined ? undefined : sparsity[name];
}

function scoresOf({ weights, scores }: Prunable): Float32Array {
  return scores ?? weights.map(Math.abs);
}

/** Blocks of height × width, numbered by row of blocks; those at the edges are smaller. */
interface Blocks {
  readonly view: MatrixView;
  readonly height: number;
  readonly width: number;
  /** Blocks beside each other. */
  readonly across: number;
  /** By block the mean of its weights' scores. */
  readonly scores: Float32Array;
  /** The last of those with the highest score. It stays: a layer that is all zeros passes nothing on. */
  best: number;
}

function blocksOf(layer: Prunable, height: number, width: number): Blocks {
  const { view } = layer;
  const across = Math.ceil(view.columns / width);
  const each = scoresOf(layer);
  const scores = new Float32Array(across * Math.ceil(view.rows / height));
  const blocks = { view, height, width, across, scores, best: 0 };
  for (let i = 0; i < scores.length; i++) {
    let sum = 0;
    eachIn(blocks, i, (at) => {
      sum += each[at] as number;
    });
    scores[i] = sum / sizeIn(blocks, i);
    if ((scores[i] as number) >= (scores[blocks.best] as number)) blocks.best = i;
  }
  return blocks;
}

function sizeIn({ view, height, width, across }: Blocks, block: number): number {
  const row = Math.floor(block / across) * height;
  const column = (block % across) * width;
  return Math.min(height, view.rows - row) * Math.min(width, view.columns - column);
}

function eachIn({ view, height, width, across }: Blocks, block: number, visit: (at: number) => void): void {
  const row = Math.floor(block / across) * height;
  const column = (block % across) * width;
  const [lastRow, lastColumn] = [Math.min(row + height, view.rows), Math.min(column + width, view.columns)];
  for (let r = row; r < lastRow; r++) {
    for (let c = column; c < lastColumn; c++) visit(r * view.rowStride + c * view.columnStride);
  }
}

/** Zeroes the blocks of the lowest scores over all layers, of equal ones the first; the best of each layer stays. */
function zeroLowest(layers: readonly Blocks[], weights: readonly Float32Array[], share: number): void {
  const elements = layers.reduce((sum, { view }) => sum + view.rows * view.columns, 0);
  const wanted = Math.round(share * elements);
  const { limit, before } = limitOf(layers, wanted);
  let left = wanted - before;
  layers.forEach((layer, l) => {
    const bits = bitsOf(layer.scores);
    const zero = (block: number) =>
      eachIn(layer, block, (at) => {
        (weights[l] as Float32Array)[at] = 0;
      });
    for (let i = 0; i < bits.length; i++) {
      if (i === layer.best) continue;
      const score = bits[i] as number;
      if (score < limit) zero(i);
      else if (score === limit) {
        // The last block goes where that comes closer to what was asked for than leaving it.
        const size = sizeIn(layer, i);
        if (left >= size / 2) zero(i);
        left -= size;
      }
    }
  });
}

/** Scores from zero up are ordered as their bits are. */
function bitsOf(scores: Float32Array): Uint32Array {
  return new Uint32Array(scores.buffer, scores.byteOffset, scores.length);
}

/**
 * The score, as bits, at which `wanted` weights are reached, and how many weights have lower ones: by counting the upper
 * halves of all scores, then the lower halves of those that have the upper half found. Nothing is sorted.
 */
function limitOf(layers: readonly Blocks[], wanted: number): { readonly limit: number; readonly before: number } {
  let [limit, before] = [0, 0];
  for (const shift of [16, 0]) {
    const counts = new Float64Array(1 << 16);
    for (const layer of layers) {
      const bits = bitsOf(layer.scores);
      for (let i = 0; i < bits.length; i++) {
        if (i === layer.best) continue;
        const score = bits[i] as number;
        if (shift === 0 && score >>> 16 !== limit >>> 16) continue;
        const slot = (score >>> shift) & 0xffff;
        counts[slot] = (counts[slot] as number) + sizeIn(layer, i);
      }
    }
    let slot = 0;
    while (slot < 0xffff && before + (counts[slot] as number) < wanted) before += counts[slot++] as number;
    limit = (limit | (slot << shift)) >>> 0;
  }
  return { limit, before };
}

/** As many zeros in every row, which keeps one weight at least. */
function balance(layer: Prunable, weights: Float32Array, share: number): Float32Array {
  const { rows, columns, rowStride, columnStride } = layer.view;
  const scores = scoresOf(layer);
  const wanted = Math.min(columns - 1, Math.round(share * columns));
  const places = new Uint32Array(columns);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) places[c] = r * rowStride + c * columnStride;
    places.sort((a, b) => (scores[a] as number) - (scores[b] as number));
    for (const at of places.subarray(0, wanted)) weights[at] = 0;
  }
  return weights;
}

/** Of every `m` inputs in a row the `n` with the highest scores stay. */
function keepOfEach(layer: Prunable, weights: Float32Array, n: number, m: number): void {
  const { rows, columns, rowStride, columnStride } = layer.view;
  const scores = scoresOf(layer);
  for (let r = 0; r < rows; r++) {
    for (let first = 0; first < columns; first += m) {
      const places = Array.from({ length: Math.min(m, columns - first) }, (_, i) => {
        return r * rowStride + (first + i) * columnStride;
      });
      places.sort((a, b) => (scores[b] as number) - (scores[a] as number));
      for (const at of places.slice(n)) weights[at] = 0;
    }
  }
}
