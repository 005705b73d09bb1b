// Sparse weights in blocks times a matrix or a vector: a dense micro-kernel for every block with a non-zero. Blocks are of rows ×
// inputs, where an input is one of the elements that a row sums up. The fewest loads take 4×4 and 4×1: their rows share
// what is loaded of the dense operand. Any weights can be cut into blocks; the cost tells whether that is worth it.

import matrixText from '../../../shaders/sparse-block-matrix.wgsl?raw';
import vectorText from '../../../shaders/sparse-block-vector.wgsl?raw';
import aloneText from '../../../shaders/sparse-block-vector-alone.wgsl?raw';
import lanesText from '../../../shaders/sparse-block-vector-lanes.wgsl?raw';
import type { AdapterProfile } from '../../base/adapter';
import { ceilDiv } from '../../base/shape';
import type { Dispatch, Tunables } from '../../ir/kernel';
import type { MatMulNode } from '../matmul/problem';
import { epilogueAxis, type MatMulKernel, sumsFlops } from '../matmul/product';
import { foldWorkgroups } from '../wgsl/dispatch';
import { blockGroups } from './blocks-groups';
import { type BlockSize, blockRowsOf, blocksText, linesOf, mostInputs, packBlocks, valueBytes } from './blocks-pack';
import { arrayText } from './pack';
import {
  canRun,
  denseRows,
  elementBytes,
  frontText,
  invocationFlops,
  isVector,
  openFlops,
  storeColumns,
  storeRow,
  valueSize,
  weightsOf,
} from './weights';

const sizes: readonly BlockSize[] = [
  { rows: 4, inputs: 4 },
  { rows: 4, inputs: 1 },
  { rows: 1, inputs: 4 },
];

const nameOf = ({ rows, inputs }: BlockSize) => `${rows}x${inputs}`;

function rowsFor(n: MatMulNode, size: BlockSize) {
  const { pattern, along } = weightsOf(n);
  return blockRowsOf(pattern, along, size);
}

function canPack(n: MatMulNode, size: BlockSize, adapter: AdapterProfile): boolean {
  if (!canRun(n, adapter) || weightsOf(n).length > mostInputs) return false;
  return valueBytes(n, size) <= adapter.limits.maxStorageBufferBindingSize;
}

/** What a byte takes a software adapter to load, in operations: it has no broadcast. */
const softwareLoad = 6.5;

/** Bytes of a block's values and column. */
function blockBytes(n: MatMulNode, size: BlockSize): number {
  return size.rows * size.inputs * valueSize(n) + 2;
}

interface Tile {
  readonly width: number;
  readonly height: number;
  readonly columnQuads: number;
  /** Whether four neighbours load a block together. */
  readonly shared: number;
}

function gridOf(n: MatMulNode, size: BlockSize, t: Tile) {
  const { columns, batch } = weightsOf(n);
  const columnTiles = ceilDiv(ceilDiv(columns, 4), t.width * t.columnQuads);
  const tiles = columnTiles * batch;
  return { columnTiles, tiles, workgroups: tiles * ceilDiv(rowsFor(n, size).quads, t.height) };
}

/** Neighbours that load a block together need their loops to be seen to be the same: a workgroup has one quad of rows then. */
const laneText = (shared: boolean) => /* wgsl */ `
fn placeOf(tile: u32, y: u32) -> u32 { return ${shared ? 'tile' : 'tile * HEIGHT + y'}; }
struct Lane { @builtin(${shared ? 'subgroup_invocation_id' : 'local_invocation_index'}) id: u32 }
fn ownBlock(i: u32, lane: u32) -> mat4x4f {
  ${
    shared
      ? `let line = blockLine(i, lane);
  return mat4x4f(
    quadBroadcast(line, 0u), quadBroadcast(line, 1u), quadBroadcast(line, 2u), quadBroadcast(line, 3u));`
      : 'return blockAt(i);'
  }
}
`;

function matrix(size: BlockSize): MatMulKernel {
  const whole = linesOf(size) === 4;
  return {
    name: `sparse-blocks-${nameOf(size)}`,
    sparse: true,
    space: { width: [16, 64, 4, 2], height: [1, 4, 16], columnQuads: [1, 2], shared: [1, 0] },
    epilogueAxis,
    when: (n, adapter) => canPack(n, size, adapter) && !isVector(n),
    legal(n, t, { software, features }) {
      const { width, height, columnQuads, shared } = t as unknown as Tile;
      const lanes = width * height;
      if (shared && !(whole && height === 1 && width >= 4 && features.includes('subgroups'))) return false;
      if (width > 2 && width * columnQuads >= 2 * ceilDiv(weightsOf(n).columns, 4)) return false;
      return software ? lanes >= 4 && lanes <= 64 : lanes >= 32 && lanes <= 256;
    },
    cost(n, tunables) {
      const t = tunables as unknown as Tile;
      const p = weightsOf(n);
      const { blocks } = rowsFor(n, size);
      const { tiles, workgroups } = gridOf(n, size, t);
      const bytes = elementBytes(n);
      const turns = blocks * tiles * t.width;
      const invocations = workgroups * t.width * t.height;
      const { pack } = denseRows(n, p);
      const denseBytes = size.inputs * 4 * t.columnQuads * bytes;
      // A line alone is found for every four elements, four that follow each other together.
      const place = size.inputs === 1 ? 0.4 : 0;
      // Sums that a turn of the loop goes on with, and blocks that it adds.
      const sums = size.rows === 4 ? 16 : 4;
      const each = size.inputs === 1 ? 2 : 1;
      // Rows one by one have few blocks for a loop.
      const alone = size.rows === 1 ? 150 : 0;
      // What neighbours load together each opens a part of.
      const ownShare = t.shared ? 1 / 4 : 1;
      return {
        flops: 8 * size.rows * size.inputs * t.columnQuads * turns,
        emulated:
          turns *
            (softwareLoad * (ownShare * blockBytes(n, size) + place * denseBytes) +
              ownShare * size.rows * size.inputs * openFlops(n) +
              (sumsFlops * (sums * t.columnQuads + 8)) / 16 / each +
              alone) +
          invocations * t.columnQuads * (p.turned ? 2 : 1) * invocationFlops,
        traffic:
          // Lines of the dense operand come in no order; of a block's bytes neighbours have one load.
          turns * (denseBytes + blockBytes(n, size) / 8) +
          bytes * p.rows * p.columns * p.batch +
          4 * (pack?.bytes ?? 0),
        workgroups,
        dispatches: pack ? 2 : 1,
      };
    },
    dispatches: (n, t) => matrixDispatches(n, size, t as unknown as Tile),
  };
}

function matrixDispatches(n: MatMulNode, size: BlockSize, t: Tile): Dispatch[] {
  const p = weightsOf(n);
  const packed = packBlocks(n, size);
  const tail = storeColumns(n, p);
  const { operand, quads: denseQuads, planeQuads, pack } = denseRows(n, p);
  const grid = gridOf(n, size, t);
  const enable = t.shared ? 'enable subgroups;\n' : '';
  return [
    packed.dispatch,
    ...(pack ? [pack.dispatch] : []),
    {
      label: `MatMul.sparseBlocks${nameOf(size)}`,
      wgsl:
        enable + frontText(n) + blocksText(n, size, packed.room) + laneText(t.shared === 1) + tail.text + matrixText,
      constants: {
        ...{ ROWS: size.rows, INPUTS: size.inputs, RAGGED: Number(p.length % 4 !== 0) },
        ...{ WIDTH: t.width, HEIGHT: t.height, COLUMN_QUADS: t.columnQuads },
      },
      bindings: { ...packed.bindings, dense: operand, ...tail.bindings },
      uniforms: {
        ...{ rows: p.rows, columns: p.columns, length: p.length, alpha: n.attributes.alpha },
        ...{ quads: packed.quads, denseQuads, planeQuads, ...grid },
      },
      workgroups: foldWorkgroups(grid.workgroups),
    },
  ];
}

/** Reads of the vector: in whole quads where four inputs of a block lie in one. */
function vectorReads(length: number, { inputs }: BlockSize, room: number): string {
  const whole = inputs === 4 && length % 4 === 0;
  const type = whole ? arrayText('elem4', length / 4, room) : arrayText('elem', length, room);
  const declared = `@group(0) @binding(3) var<storage, read> dense: ${type};\n`;
  const place = (i: number) => `dense[min(4u * column + ${i}u, params.length - 1u)]`;
  const four = whole ? 'dense[column]' : `elem4(${[0, 1, 2, 3].map(place).join(', ')})`;
  return `${declared}fn denseAt(i: u32) -> f32 { return ${whole ? 'f32(dense[i >> 2u][i & 3u])' : 'f32(dense[i])'}; }
fn denseQuad(column: u32) -> vec4f { return vec4f(${four}); }
`;
}

function vector(size: BlockSize): MatMulKernel {
  const lanesIn = (t: Tunables) => t.lanes as number;
  const heightOf = (t: Tunables) => (lanesIn(t) === 1 ? 16 : 64 / lanesIn(t));
  return {
    name: `sparse-blocks-vector-${nameOf(size)}`,
    sparse: true,
    space: { lanes: [16, 8, 32, 1] },
    epilogueAxis,
    when: (n, adapter) => canPack(n, size, adapter) && isVector(n),
    // A GPU's neighbours should read neighbouring words; a CPU takes long to compile workgroup memory.
    legal: (_, t, { software }) => (lanesIn(t) === 1) === software,
    cost(n, t) {
      const { quads, blocks } = rowsFor(n, size);
      const bytes = elementBytes(n);
      const [lanes, height] = [lanesIn(t), heightOf(t)];
      // Rows of a quad whose lanes have not all something to do.
      const turns = blocks + (quads * (4 / size.rows) * linesOf(size) * (lanes - 1)) / 2;
      const invocations = quads * lanes;
      return {
        flops: 2 * size.rows * size.inputs * turns,
        emulated:
          turns * (sumsFlops * (linesOf(size) === 4 ? 1 : 0.5) + size.rows * size.inputs * openFlops(n)) +
          invocations * 4 * invocationFlops,
        traffic: turns * (blockBytes(n, size) + size.inputs * bytes) + invocations * 12 + weightsOf(n).rows * bytes,
        ...(lanes > 1 && { shared: invocations * 64, cleared: invocations * lanes * height * 16 }),
        workgroups: ceilDiv(quads, height),
      };
    },
    dispatches(n, t) {
      const p = weightsOf(n);
      const packed = packBlocks(n, size);
      const tail = storeRow(n);
      const [lanes, height] = [lanesIn(t), heightOf(t)];
      const constants = { ROWS: size.rows, INPUTS: size.inputs, LANES: lanes, HEIGHT: height };
      const front =
        frontText(n) + blocksText(n, size, packed.room) + vectorReads(p.length, size, packed.room) + tail.text;
      return [
        packed.dispatch,
        {
          label: `MatMul.sparseBlocksVector${nameOf(size)}`,
          wgsl: [front, vectorText, lanes === 1 ? aloneText : lanesText].join('\n'),
          constants: lanes === 1 ? constants : { ...constants, SUMS: lanes * height },
          bindings: { ...packed.bindings, dense: { input: p.dense.input }, ...tail.bindings },
          uniforms: { rows: p.rows, length: p.length, quads: packed.quads, alpha: n.attributes.alpha },
          workgroups: foldWorkgroups(ceilDiv(packed.quads, height)),
        },
      ];
    },
  };
}

export const blockKernels: readonly MatMulKernel[] = [...sizes.map(matrix), blockGroups, ...sizes.map(vector)];
