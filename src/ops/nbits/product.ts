// What the variants of a product with quantised weights share: when they can run, the dispatch of a product, and counts
// for the cost estimate.

import { byteSize, deviceType } from '../../base/dtype';
import { ceilDiv } from '../../base/shape';
import type { Dispatch, Kernel } from '../../ir/kernel';
import { foldWorkgroups } from '../wgsl/dispatch';
import { chunkSize, type NBitsNode, type NBitsProblem } from './problem';
import type { NBitsText } from './text';

export type NBitsKernel = Kernel<NBitsNode['attributes']>;

/** The guaranteed number of storage buffers, less those of the kernel itself. */
export const canRun = (n: NBitsNode) => n.operands.length + (n.has(3) ? 5 : 4) <= 8;
export const epilogueAxis = (n: NBitsNode) => n.output(0).dims.length - 1;

/** Bytes that one invocation loads for a chunk of `columns` columns, scales and zero points included. */
export const columnBytes = (p: NBitsProblem, columns: number) => columns * ((chunkSize * p.bits) / 8 + 8);
export const rowBytes = (p: NBitsProblem, rows: number) => rows * chunkSize * byteSize(deviceType(p.dtype));

/** Numbers along k in a word. */
export const numbersOfWord = (p: NBitsProblem) => 32 / p.bits;

export interface NBitsGrid {
  readonly rowTiles: number;
  readonly columnTiles: number;
}

export function dispatch(
  p: NBitsProblem,
  grid: NBitsGrid,
  variant: { label: string; front: NBitsText; text: string; constants?: Record<string, number> },
): Dispatch {
  const { text, bindings } = variant.front;
  const workgroups = grid.rowTiles * grid.columnTiles;
  return {
    label: `MatMulNBits.${variant.label}`,
    wgsl: text + variant.text,
    ...(variant.constants && { constants: variant.constants }),
    bindings,
    uniforms: {
      m: p.m,
      n: p.n,
      k: p.k,
      chunks: ceilDiv(p.k, chunkSize),
      blocks: p.blocks,
      chunksPerBlock: p.blockSize / chunkSize,
      zeroBytes: p.zeroBytes,
      steps: ceilDiv(p.k, numbersOfWord(p)),
      stepsPerBlock: p.blockSize / numbersOfWord(p),
      columnTiles: grid.columnTiles,
      workgroups,
    },
    workgroups: foldWorkgroups(workgroups),
  };
}
