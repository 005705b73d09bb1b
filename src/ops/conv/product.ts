// The product in the middle of a convolution that has been written out as planes, by columns or by Winograd's
// transform: a 1×1 convolution by the kernel that suits the adapter.

import type { AdapterProfile } from '../../base/adapter';
import type { Cost, Dispatch, Tunables } from '../../ir/kernel';
import type { NodeView } from '../../ir/node-view';
import type { Window } from '../window';
import { directCost, directDispatch } from './direct';
import type { Factors } from './parts';
import { hasQuads, quadCost, quadDispatch } from './quad';
import type { ConvShape } from './shape';
import { stagedCost, stagedDispatch, stagedFits } from './staged';

const core = { staged: 0, quad: 1, direct: 2 } as const;

/** Bytes above which what a product reads or writes crowds out what it is made from, and might not be bound at once. */
export const mostScratch = 1 << 26;

/** Kernels that can multiply planes; the tile counts for the staged one only. */
export const productSpace = { core: [core.staged, core.quad, core.direct], pixelQuads: [2, 1], channelQuads: [2, 1] };

const staged = ({ pixelQuads = 1, channelQuads = 1 }: Tunables): Tunables => ({ side: 8, pixelQuads, channelQuads });
const direct = ({ pixels }: ConvShape): Tunables =>
  pixels > 4 ? { pixelQuads: 2, channelQuads: 2 } : { pixelQuads: 1, channelQuads: 4 };

export function productLegal(t: Tunables, adapter: AdapterProfile): boolean {
  if (t.core === core.staged) return stagedFits(staged(t), adapter);
  const fits = t.core === core.quad ? hasQuads(adapter) : adapter.software;
  return fits && t.pixelQuads === 1 && t.channelQuads === 1;
}

/** Whether the product is shared out among workgroups that each want company on a GPU. */
export function usesWorkgroups(t: Tunables): boolean {
  return t.core === core.staged;
}

export function productCost(n: NodeView, shape: ConvShape, t: Tunables): Cost {
  if (t.core === core.staged) return stagedCost(n, shape, staged(t), 'planes');
  return t.core === core.quad ? quadCost(n, shape, 'planes') : directCost(n, shape, direct(shape));
}

/** @param factors read in planes of shape.inputStep pixels, a multiple of four */
export function productDispatch(n: NodeView, shape: ConvShape, t: Tunables, factors: Factors): Dispatch {
  if (t.core === core.staged) return stagedDispatch(n, shape, staged(t), factors);
  return t.core === core.quad ? quadDispatch(n, shape, factors) : directDispatch(n, shape, direct(shape), factors);
}

/** The window of a 1×1 convolution with these output sizes. */
export function pointWindow(output: Window['output']): Window {
  const [ones, zeros] = [
    [1, 1, 1],
    [0, 0, 0],
  ];
  return { rank: 2, input: output, kernel: ones, strides: ones, dilations: ones, begins: zeros, ends: zeros, output };
}

/** Costs of dispatches one after the other. The workgroups are those of the first, which does most of the work. */
export function together(...parts: readonly [Cost, ...Cost[]]): Cost {
  const sum = (of: (c: Cost) => number) => parts.reduce((total, part) => total + of(part), 0);
  return {
    flops: sum((c) => c.flops),
    traffic: sum((c) => c.traffic),
    shared: sum((c) => c.shared ?? 0),
    workgroups: parts[0].workgroups,
    dispatches: parts.length,
  };
}
