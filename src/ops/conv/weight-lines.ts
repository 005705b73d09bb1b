// ConvWeightGradient.lines: register tiles of kernel rows by outputs, read where they lie. The choice of software adapters,
// and of whatever is too narrow for tiles. See shaders/conv-weight-lines.wgsl.

import text from '../../../shaders/conv-weight-lines.wgsl?raw';
import { byteSize, deviceType } from '../../base/dtype';
import { ceilDiv } from '../../base/shape';
import type { Kernel, Tunables } from '../../ir/kernel';
import { linearHelpers, oneEach } from '../wgsl/dispatch';
import { elemAliases } from '../wgsl/elements';
import { lineColumns, lineText, mostColumns } from './lines';
import { windowUniforms } from './parts';
import { hasQuads } from './quad';
import type { ConvAttributes, ConvNode, ConvShape } from './shape';
import { gradientShape, sumsOf, withSums } from './weight-gradient';

const workgroup = 64;

/** Products of one step that are spelt out, four pixels each, above which the text takes too long to compile. */
const mostProducts = 64;

interface Tile {
  /** Outputs of which an invocation loads the gradients. */
  readonly own: number;
  /** Invocations that share theirs. */
  readonly lanes: number;
  /** Kernel rows of an invocation. */
  readonly lines: number;
  readonly splits: number;
}

const tileOf = (t: Tunables) => t as unknown as Tile;

function tiling(shape: ConvShape, { own, lanes, lines, splits }: Tile) {
  const [kernelZ, kernelY] = shape.window.kernel as [number, number];
  const [outDepth, outHeight, outWidth] = shape.window.output as [number, number, number];
  const lineCount = shape.channels * kernelZ * kernelY;
  const lineTiles = lanes * ceilDiv(lineCount, lines * lanes);
  const outputTiles = ceilDiv(shape.groupOut, own * lanes);
  const rows = shape.batch * outDepth * outHeight;
  return {
    lineCount,
    lineTiles,
    outputTiles,
    rows,
    splitRows: ceilDiv(rows, splits),
    rowQuads: ceilDiv(outWidth, 4),
    invocations: lineTiles * outputTiles * shape.groups * splits,
  };
}

const matrices = { 1: 'vec4f', 2: 'mat2x4f', 4: 'mat4x4f' } as const;
const vectors = { 1: 'f32', 2: 'vec2f', 4: 'vec4f' } as const;

/** Who an invocation is, and what the shader calls; see there. */
function tileText(shape: ConvShape, { own, lanes, lines }: Tile): string {
  const { window } = shape;
  const kernelX = window.kernel[2] as number;
  const whole = (window.output[2] as number) % 4 === 0;
  const each = (count: number) => Array.from({ length: count }, (_, i) => i);
  const matrix = matrices[own as 1 | 2 | 4];
  const rows = (row: (i: number) => string) => (own === 1 ? row(0) : `${matrix}(${each(own).map(row).join(', ')})`);
  const columnOf = (name: string, i: number) => (own === 1 ? name : `${name}[${i}]`);
  const swaps = ['quadSwapX', 'quadSwapY', 'quadSwapDiagonal'].slice(0, lanes - 1);
  const product = (line: string, gradients: string) =>
    own === 1 ? `dot(${line}, ${gradients})` : `${line} * ${gradients}`;
  const adds = each(lanes).flatMap((turn) => [
    ...(turn === 0 ? [] : [`  let g${turn} = ${rows((i) => `${swaps[turn - 1]}(${columnOf('g0', i)})`)};`]),
    ...each(lines).flatMap((l) =>
      each(kernelX).map((k) => `  sums[${turn}][${l * kernelX + k}] += ${product(`line${l}[${k}]`, `g${turn}`)};`),
    ),
  ]);
  const stores = each(own).flatMap((j) =>
    each(lines).map((l) => {
      const store = (k: number) =>
        `storeSum(split, elements[${l}] + ${j}u * step + ${k}u, ${columnOf(`sums[0][${l * kernelX + k}]`, j)});`;
      return `  if (counts[${l}] > ${j}u) { ${each(kernelX).map(store).join(' ')} }`;
    }),
  );
  return `
struct Invocation {
  @builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) count: vec3u,
  @builtin(local_invocation_index) local: u32,${lanes === 1 ? '' : ' @builtin(subgroup_invocation_id) lane: u32,'}
}
fn laneOf(at: Invocation) -> u32 { return ${lanes === 1 ? '0u' : 'at.lane & 3u'}; }
const OWN = ${own}u;
const LANES = ${lanes}u;
const LINES = ${lines}u;
@group(0) @binding(1) var<storage, read> dy: array<${whole ? 'elem4' : 'elem'}>;
fn dyQuad(at: u32, left: u32) -> vec4f {
${
  whole
    ? '  return vec4f(dy[at >> 2u]);'
    : `  let four = vec4f(vec4<elem>(dy[at], dy[at + 1u], dy[at + 2u], dy[at + 3u]));
  return select(vec4f(), four, vec4u(0u, 1u, 2u, 3u) < vec4u(left));`
}
}
var<private> sums: array<array<${vectors[own as 1 | 2 | 4]}, ${lines * kernelX}>, LANES>; // by turn, then by tap
fn addQuads(starts: vec4u, exists: vec4<bool>, has: Columns, gradients: vec4u, left: u32) {
  let g0 = ${rows((i) => `dyQuad(gradients[${i}], left)`)};
${each(lines)
  .map((l) => `  let line${l} = lineAt(starts[${l}], has, exists[${l}]);`)
  .join('\n')}
${adds.join('\n')}
}
fn storeOwn(split: u32, elements: vec4u, counts: vec4u, step: u32) {
${stores.join('\n')}
${swaps.map((_, turn) => `  sums[${turn}] = sums[${turn + 1}];`).join('\n')}
}
`;
}

export const weightLines: Kernel<ConvAttributes> = {
  name: 'lines',
  space: { own: [4, 2, 1], lanes: [4, 1], lines: [1, 2, 4], splits: [1, 4, 16, 64] },
  when: (n: ConvNode) => lineColumns(gradientShape(n).window) <= mostColumns,
  legal(n, t, adapter) {
    const shape = gradientShape(n);
    const tile = tileOf(t);
    const products = tile.own * tile.lanes * tile.lines * (shape.window.kernel[2] as number);
    const { rows } = tiling(shape, tile);
    return (tile.lanes === 1 || hasQuads(adapter)) && products <= mostProducts && tile.splits <= Math.max(1, rows);
  },
  cost(n, t) {
    const shape = gradientShape(n);
    const tile = tileOf(t);
    const { invocations, splitRows, rowQuads } = tiling(shape, tile);
    const { own, lanes, lines, splits } = tile;
    const kernelX = shape.window.kernel[2] as number;
    const steps = splitRows * rowQuads;
    const loads = 4 * own + lines * lineColumns(shape.window);
    const ragged = (shape.window.output[2] as number) % 4 === 0 ? 0 : 10 * own;
    return withSums(n, splits, {
      // Besides its products a step has masks; a row has to find where its lines start.
      flops:
        invocations * (steps * (8 * own * lanes * lines * kernelX + 40 + 30 * lines + ragged) + splitRows * 150 + 600),
      traffic: byteSize(deviceType(n.input(0).dtype)) * invocations * steps * loads,
      workgroups: ceilDiv(invocations, workgroup),
    });
  },
  dispatches(n, t) {
    const shape = gradientShape(n);
    const tile = tileOf(t);
    const { lineCount, lineTiles, outputTiles, rows, splitRows, rowQuads, invocations } = tiling(shape, tile);
    const { channels, groups, groupOut, inputStep, outputStep, window } = shape;
    const sums = sumsOf(n, tile.splits);
    const front = [
      tile.lanes > 1 ? 'enable subgroups;\n' : '',
      elemAliases(n.input(0).dtype),
      linearHelpers,
      sums.text,
    ];
    return [
      {
        label: 'ConvWeightGradient.lines',
        wgsl: [...front, lineText(window), tileText(shape, tile), text].join(''),
        constants: { WORKGROUP: workgroup },
        bindings: { x: { input: 0 }, dy: { input: 1 }, ...sums.bindings },
        uniforms: {
          ...windowUniforms(window),
          ...{ channels, groups, groupOut, inputStep, outputStep, rowQuads, rows, splitRows },
          ...{ lines: lineCount, lineTiles, outputTiles, invocations },
        },
        workgroups: oneEach(invocations, workgroup),
        uniformFlow: true,
      },
      ...sums.after,
    ];
  },
};
