// Products of few steps (k up to 16), where storing the result is most of the work: see shaders/matmul-thin.wgsl.
// Operands are read where they lie.

import thinText from '../../../shaders/matmul-thin.wgsl?raw';
import { byteSize, deviceType } from '../../base/dtype';
import { ceilDiv } from '../../base/shape';
import type { Tunables } from '../../ir/kernel';
import { mostWorkgroups } from '../wgsl/dispatch';
import { elemAliases } from '../wgsl/elements';
import { batchSize, type Problem } from './problem';
import { canRun, epilogueAxis, type MatMulKernel, problemOf } from './product';
import { storeText } from './text';

const mostSteps = 16;

/** Operations that a row's addresses, bounds and loop are worth on a software adapter. */
const rowFlops = 40;
/** And whatever an invocation does before it. */
const invocationFlops = 100;

interface ThinTile {
  readonly lanes: number;
  /** Invocations side by side along the columns. */
  readonly width: number;
  /** And along the batch. */
  readonly depth: number;
  /** Of one invocation. */
  readonly rows: number;
}

const thinTile = (t: Tunables) => t as unknown as ThinTile;

const heightOf = ({ lanes, width, depth }: ThinTile) => lanes / (width * depth);

function workgroupsOf(p: Problem, t: ThinTile): [number, number, number] {
  return [ceilDiv(ceilDiv(p.n, 4), t.width), ceilDiv(p.m, heightOf(t) * t.rows), ceilDiv(batchSize(p), t.depth)];
}

/** Whether rows of A, lines of B are read in whole quads. */
const wholeA = (p: Problem) => !p.a.transposed && p.k % 4 === 0;
const wholeB = (p: Problem) => !p.b.transposed && p.n % 4 === 0;

const aTexts = {
  whole: /* wgsl */ `@group(0) @binding(0) var<storage, read> a: array<elem4>;
fn aQuad(at: u32, count: u32) -> vec4f { return vec4f(a[at >> 2u]); }
`,
  single: /* wgsl */ `@group(0) @binding(0) var<storage, read> a: array<elem>;
fn aQuad(at: u32, count: u32) -> vec4f {
  var quad = vec4f(f32(a[at]), 0.0, 0.0, 0.0);
  if (count > 1u) { quad.y = f32(a[at + params.aStep]); }
  if (count > 2u) { quad.z = f32(a[at + 2u * params.aStep]); }
  if (count > 3u) { quad.w = f32(a[at + 3u * params.aStep]); }
  return quad;
}
`,
} as const;

const bTexts = {
  whole: /* wgsl */ `@group(0) @binding(1) var<storage, read> b: array<elem4>;
fn bLine(at: u32, k: u32) -> vec4f { return vec4f(b[(at + k * params.bStep) >> 2u]); }
`,
  single: /* wgsl */ `@group(0) @binding(1) var<storage, read> b: array<elem>;
fn bLine(at: u32, k: u32) -> vec4f {
  let start = at + k * params.bStep;
  let step = params.bColumn;
  return vec4f(f32(b[start]), f32(b[start + step]), f32(b[start + 2u * step]), f32(b[start + 3u * step]));
}
`,
} as const;

export const thin: MatMulKernel = {
  name: 'thin',
  space: { lanes: [64, 16], width: [16, 4, 1], depth: [1, 16], rows: [16, 4, 64] },
  epilogueAxis,
  when(n) {
    if (!canRun(n)) return false;
    const p = problemOf(n);
    return p.k > 0 && p.k <= mostSteps && p.batch.length <= 1;
  },
  legal(n, t, adapter) {
    const p = problemOf(n);
    const tile = thinTile(t);
    if (heightOf(tile) < 1 || (tile.depth > 1 && batchSize(p) === 1)) return false;
    // A GPU runs at least 32 invocations at a time, used or not.
    return (adapter.software || tile.lanes >= 32) && Math.max(...workgroupsOf(p, tile)) <= mostWorkgroups;
  },
  cost(n, t) {
    const p = problemOf(n);
    const tile = thinTile(t);
    const [x, y, z] = workgroupsOf(p, tile);
    const height = heightOf(tile);
    // Four neighbours take as long as one.
    const padded = (size: number, neighbours: number) => {
      const four = Math.min(4, neighbours);
      return four * ceilDiv(size, four);
    };
    const columns = padded(ceilDiv(p.n, 4), tile.width);
    const planes = tile.depth > 1 ? padded(batchSize(p), 4) : batchSize(p);
    const lines = Math.min(padded(p.m, height), y * height);
    const quads = columns * Math.max(p.m, lines) * planes;
    return {
      flops: 8 * quads * p.k,
      emulated: rowFlops * quads + invocationFlops * x * y * z * tile.lanes,
      traffic: 4 * byteSize(deviceType(n.input(0).dtype)) * (quads * (p.k / 4 + 1) + columns * lines * planes * p.k),
      workgroups: x * y * z,
    };
  },
  dispatches(n, t) {
    const p = problemOf(n);
    const tail = storeText(n, p);
    const tile = thinTile(t);
    const [aRow, aStep] = p.a.transposed ? [1, p.m] : [p.k, 1];
    const [bColumn, bStep] = p.b.transposed ? [p.k, 1] : [1, p.n];
    return [
      {
        label: 'MatMul.thin',
        wgsl: [
          elemAliases(n.input(0).dtype),
          wholeA(p) ? aTexts.whole : aTexts.single,
          wholeB(p) ? bTexts.whole : bTexts.single,
          tail.text,
          thinText,
        ].join('\n'),
        constants: { WIDTH: tile.width, HEIGHT: heightOf(tile), DEPTH: tile.depth, K: p.k },
        bindings: { a: { input: p.a.input }, b: { input: p.b.input }, ...tail.bindings },
        uniforms: {
          ...{ m: p.m, n: p.n, batch: batchSize(p), alpha: n.attributes.alpha, rows: tile.rows },
          ...{ aRow, aStep, aBatch: p.a.steps[0] ?? 0, bColumn, bStep, bBatch: p.b.steps[0] ?? 0 },
        },
        workgroups: workgroupsOf(p, tile),
      },
    ];
  },
};
