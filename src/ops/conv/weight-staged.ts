// ConvWeightGradient.staged: tiles of outputs by taps staged through workgroup memory, the choice of real GPUs. See
// shaders/conv-weight-staged.wgsl.

import text from '../../../shaders/conv-weight-staged.wgsl?raw';
import { byteSize, deviceType } from '../../base/dtype';
import { ceilDiv } from '../../base/shape';
import type { Kernel, Tunables } from '../../ir/kernel';
import { foldWorkgroups, linearHelpers } from '../wgsl/dispatch';
import { elemAliases } from '../wgsl/elements';
import { windowUniforms } from './parts';
import type { ConvAttributes, ConvShape } from './shape';
import { gradientShape, sumsOf, withSums } from './weight-gradient';

/** Pixels that are staged at a time. */
const stage = 16;

interface Tile {
  readonly side: number;
  readonly rowQuads: number;
  readonly columnQuads: number;
  readonly splits: number;
}

const tileOf = (t: Tunables) => t as unknown as Tile;

function tiling(shape: ConvShape, { side, rowQuads, columnQuads, splits }: Tile) {
  const columns = shape.channels * shape.taps;
  const columnTiles = ceilDiv(columns, 4 * side * columnQuads);
  const outputTiles = ceilDiv(shape.groupOut, 4 * side * rowQuads);
  const pixels = shape.batch * shape.outputStep;
  const stages = ceilDiv(ceilDiv(pixels, splits), stage);
  return {
    columns,
    columnTiles,
    outputTiles,
    pixels,
    stages,
    splitPixels: stage * stages,
    tiles: columnTiles * outputTiles * shape.groups * splits,
  };
}

const sharedBytes = ({ side, rowQuads, columnQuads }: Tile) => 16 * stage * (side * (rowQuads + columnQuads) + 2);

/** SwiftShader clears workgroup memory by straight-line code, so that each KiB takes 0.1 to 0.2 s to compile. */
const softwareStaging = 6144;

export const weightStaged: Kernel<ConvAttributes> = {
  name: 'staged',
  space: { side: [16, 8], rowQuads: [1, 2], columnQuads: [1, 2], splits: [1, 4, 16, 64, 256] },
  legal(n, t, { limits, software }) {
    const tile = tileOf(t);
    const { splitPixels, pixels } = tiling(gradientShape(n), tile);
    const most = software ? softwareStaging : limits.maxComputeWorkgroupStorageSize;
    // A split is worth its partial sums only if there is something to sum up.
    return sharedBytes(tile) <= most && (tile.splits === 1 || tile.splits * splitPixels < pixels + splitPixels);
  },
  cost(n, t) {
    const shape = gradientShape(n);
    const tile = tileOf(t);
    const { side, rowQuads, columnQuads, splits } = tile;
    const { tiles, stages } = tiling(shape, tile);
    const steps = tiles * stages * stage;
    const staged = 16 * side * (rowQuads + columnQuads);
    const products = steps * side * side;
    return withSums(n, splits, {
      // Every staged quad has addresses and masks of its own.
      flops: products * 32 * rowQuads * columnQuads + steps * side * (60 * rowQuads + 150 * columnQuads),
      traffic: (byteSize(deviceType(n.input(0).dtype)) / 4) * steps * staged,
      shared: steps * staged + products * 16 * (rowQuads + columnQuads),
      cleared: tiles * side * side * sharedBytes(tile),
      workgroups: tiles,
    });
  },
  dispatches(n, t) {
    const shape = gradientShape(n);
    const tile = tileOf(t);
    const { columns, columnTiles, outputTiles, pixels, splitPixels, tiles } = tiling(shape, tile);
    const { channels, groups, groupOut, inputStep, outputStep, taps } = shape;
    const sums = sumsOf(n, tile.splits);
    return [
      {
        label: 'ConvWeightGradient.staged',
        wgsl: elemAliases(n.input(0).dtype) + linearHelpers + sums.text + text,
        constants: { SIDE: tile.side, ROW_QUADS: tile.rowQuads, COLUMN_QUADS: tile.columnQuads },
        bindings: { x: { input: 0 }, dy: { input: 1 }, ...sums.bindings },
        uniforms: {
          ...windowUniforms(shape.window),
          ...{ channels, groups, groupOut, inputStep, outputStep, taps, columns, pixels, splitPixels },
          ...{ columnTiles, outputTiles, tiles },
        },
        workgroups: foldWorkgroups(tiles),
        uniformFlow: true,
      },
      ...sums.after,
    ];
  },
};
