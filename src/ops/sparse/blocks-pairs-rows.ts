// Weights of which every four elements along k have at most two that are not zero (2:4) times a matrix: the dense kernel whose
// rows four neighbours share, which are made in registers from two values and the two bits for each that say where it stands.

import quadText from '../../../shaders/matmul-quad.wgsl?raw';
import packText from '../../../shaders/sparse-block-pairs-rows-pack.wgsl?raw';
import type { AdapterProfile } from '../../base/adapter';
import { ceilDiv } from '../../base/shape';
import type { Dispatch, Operand, Tunables } from '../../ir/kernel';
import { packedBlocks } from '../matmul/packed';
import type { MatMulNode } from '../matmul/problem';
import {
  canRun,
  epilogueAxis,
  type Grid,
  kQuads,
  type MatMulKernel,
  problemOf,
  resultBytes,
  shapedDispatch,
  sumsFlops,
  workgroupsOf,
} from '../matmul/product';
import { frontText, storeText } from '../matmul/text';
import { linearHelpers, oneEach } from '../wgsl/dispatch';
import { elemAliases } from '../wgsl/elements';
import { elementBytes } from './weights';

/** Storage buffers of the kernel itself, which leaves the rest to a fused program. */
const ownBuffers = 4;

function canPair(n: MatMulNode, { limits, features }: AdapterProfile): boolean {
  if (!features.includes('subgroups') || !canRun(n)) return false;
  const p = problemOf(n);
  const { pattern, dims } = n.input(p.a.input);
  if (!pattern || dims.length !== 2 || p.k === 0 || p.m === 1) return false;
  const { alongRow, alongColumn } = pattern.mostOfFour;
  if ((p.a.transposed ? alongColumn : alongRow) > 2) return false;
  const most = limits.maxStorageBufferBindingSize;
  return (
    ownBuffers + n.operands.length <= limits.maxStorageBuffersPerShaderStage &&
    valuesOf(n).bytes <= most &&
    (packedBlocks(n, p).pack?.bytes ?? 0) <= most
  );
}

/** Words of positions in a row. */
const wordsOf = (n: MatMulNode) => ceilDiv(kQuads(problemOf(n), 1), 8);

const valuesOf = (n: MatMulNode) =>
  ({ scratch: 'row pairs values', bytes: 16 * wordsOf(n) * problemOf(n).m * elementBytes(n) }) satisfies Operand;

const positionsOf = (n: MatMulNode) =>
  ({ scratch: 'row pairs positions', bytes: 4 * wordsOf(n) * problemOf(n).m }) satisfies Operand;

function packDispatch(n: MatMulNode): Dispatch {
  const { m, k, a } = problemOf(n);
  const words = wordsOf(n);
  const [rowStep, kStep] = a.transposed ? [1, m] : [k, 1];
  return {
    label: 'MatMul.packRowPairs',
    wgsl: elemAliases(n.input(a.input).dtype) + linearHelpers + packText,
    constants: { LANES: 64 },
    bindings: { source: { input: a.input }, values: valuesOf(n), positions: positionsOf(n) },
    uniforms: { m, k, words, rowStep, kStep, invocations: m * words },
    workgroups: oneEach(m * words, 64),
    once: true,
  };
}

/** The matrix is shared by the batch. Where a quad has one value or none, the others are zero wherever they stand. */
const rowsText = (binding: number) => /* wgsl */ `
@group(0) @binding(0) var<storage, read> a: array<vec2<elem>>;
@group(0) @binding(${binding}) var<storage, read> positions: array<u32>;
fn aRow(start: u32, row: u32) -> u32 { return row * (((params.k + 31u) >> 5u) << 3u); }
fn aQuad(row: u32, kQuad: u32) -> elem4 {
  let at = row + kQuad;
  let pair = a[at];
  let bits = positions[at >> 3u] >> ((at & 7u) << 2u);
  let four = vec4u(0u, 1u, 2u, 3u);
  let second = select(elem4(), elem4(pair.y), four == vec4u((bits >> 2u) & 3u));
  return select(second, elem4(pair.x), four == vec4u(bits & 3u));
}
`;

const gridOf = (n: MatMulNode, t: Tunables): Grid => {
  const p = problemOf(n);
  return {
    rowTiles: ceilDiv(p.m, 4 * (t.rowQuads as number)),
    columnTiles: ceilDiv(p.n, 4 * (t.lanes as number)),
    splits: 1,
  };
};

/** Operations that making a quad from a pair is worth on a software adapter. */
const unpackFlops = 60;

export const quadRowPairs: MatMulKernel = {
  name: 'sparse-pairs-quad-rows',
  sparse: true,
  space: { rowQuads: [4, 2, 1], lanes: [16, 64, 32, 4] },
  epilogueAxis,
  when: (n, adapter) => canPair(n, adapter),
  legal: (_, t, { software }) => software || (t.lanes as number) >= 32,
  cost(n, t) {
    const p = problemOf(n);
    const [rowQuads, lanes] = [t.rowQuads as number, t.lanes as number];
    const bytes = elementBytes(n);
    const workgroups = workgroupsOf(p, gridOf(n, t));
    const steps = workgroups * lanes * kQuads(p, 1);
    const { pack } = packedBlocks(n, p);
    return {
      flops: steps * 128 * rowQuads,
      emulated: steps * rowQuads * (sumsFlops + unpackFlops),
      traffic: steps * (16 * bytes + rowQuads * (2 * bytes + 4)) + resultBytes(n, p) + 4 * (pack?.bytes ?? 0),
      workgroups,
      dispatches: pack ? 2 : 1,
    };
  },
  dispatches(n, t) {
    const p = problemOf(n);
    const tail = storeText(n, p);
    const b = packedBlocks(n, p);
    const text = [
      'enable subgroups;',
      frontText(n.input(0).dtype),
      rowsText(4 + n.operands.length),
      b.text,
      tail.text,
      quadText,
    ];
    const product = shapedDispatch(n, { ...p, b: b.side }, gridOf(n, t), {
      label: 'MatMul.pairsQuadRows',
      text: text.join('\n'),
      constants: { ROW_QUADS: t.rowQuads as number, LANES: t.lanes as number },
      tail,
      operands: { a: valuesOf(n), b: b.operand },
    });
    return [
      packDispatch(n),
      ...(b.pack ? [b.pack.dispatch] : []),
      { ...product, bindings: { ...product.bindings, positions: positionsOf(n) } },
    ];
  },
};
