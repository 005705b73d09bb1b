// Products with quantised weights of 4 and 8 bits for adapters that are a CPU: the weights are packed at load such that
// one load brings numbers of four columns, and dequantised in registers. `row` is a row times a matrix, `quad` computes
// tiles whose rows four neighbours share through subgroups.

import quadText from '../../../shaders/nbits-quad.wgsl?raw';
import rowText from '../../../shaders/nbits-row.wgsl?raw';
import type { AdapterProfile } from '../../base/adapter';
import { byteSize, deviceType } from '../../base/dtype';
import { ceilDiv } from '../../base/shape';
import { sumsFlops } from '../matmul/product';
import { packed, wordsOf } from './pack';
import { type NBitsNode, type NBitsProblem, nbitsProblem } from './problem';
import { canRun, dispatch, epilogueAxis, type NBitsKernel, numbersOfWord } from './product';
import { nbitsText, rowsText } from './text';

function canPack(n: NBitsNode, { software, limits }: AdapterProfile): boolean {
  const p = nbitsProblem(n);
  const bytes = 16 * wordsOf(p) * ceilDiv(p.n, 4);
  const most = Math.min(limits.maxBufferSize, limits.maxStorageBufferBindingSize);
  const constant = [1, 2, 3].every((i) => !n.has(i) || n.input(i).isConstant);
  return software && canRun(n) && constant && p.bits >= 4 && p.k > 0 && bytes <= most;
}

/** Declares weights, scales and zero points, and reads of those of four columns. */
function packedText(p: NBitsProblem): string {
  const zeros = {
    none: ['', `vec4f(${2 ** (p.bits - 1)}.0)`],
    float: ['elem4', 'vec4f(zeros[at])'],
    packed: ['u32', 'vec4f(vec4i((vec4u(zeros[at]) >> vec4u(0u, 8u, 16u, 24u)) & vec4u(0xffu)))'],
  }[p.zeros] as [string, string];
  return `
const STEP_QUADS = ${numbersOfWord(p) / 4}u;
const ONE_BLOCK = ${p.blocks === 1};
@group(0) @binding(1) var<storage, read> weights: array<vec4u>;
@group(0) @binding(4) var<storage, read> scales: array<elem4>;
${p.zeros === 'none' ? '' : `@group(0) @binding(5) var<storage, read> zeros: array<${zeros[0]}>;`}
fn scalesAt(at: u32) -> vec4f { return vec4f(scales[at]); }
fn zerosAt(at: u32) -> vec4f { return ${zeros[1]}; }
`;
}

const halvesText = {
  8: 'fn secondHalf(w: vec4u) -> vec4u { return w; }\n',
  4: 'fn secondHalf(w: vec4u) -> vec4u { return w >> vec4u(16u); }\n',
};

const masksText = {
  8: /* wgsl */ `
fn firstHalf(w: u32) -> vec4f {
  return vec4f(vec4i(i32(w & 0xffu), i32(w & 0xffffu), i32(w & 0xffffffu), i32(w >> 24u)));
}
fn apart(s: vec4f) -> vec4f {
  return vec4f(s.x, (s.y - s.x) * 0x1p-8f, (s.z - s.y) * 0x1p-16f, s.w);
}
`,
  4: /* wgsl */ `
fn firstHalf(w: u32) -> vec4f {
  return vec4f(vec4i(i32(w & 0xfu), i32(w & 0xffu), i32(w & 0xfffu), i32(w & 0xffffu)));
}
fn apart(s: vec4f) -> vec4f {
  return vec4f(s.x, (s.y - s.x) * 0x1p-4f, (s.z - s.y) * 0x1p-8f, (s.w - s.z) * 0x1p-12f);
}
`,
};

const quadWordsText = {
  8: 'return weights[quad * quads + columnQuad];',
  4: 'return weights[(quad >> 1u) * quads + columnQuad] >> vec4u(16u * (quad & 1u));',
};

const lanesText = ({ bits }: NBitsProblem) => `
fn quadWords(quad: u32, columnQuad: u32, quads: u32) -> vec4u { ${quadWordsText[bits as 4 | 8]} }
fn lanesOf(w: u32) -> vec4f {
  return vec4f(vec4i((vec4u(w) >> vec4u(0u, ${bits}u, ${2 * bits}u, ${3 * bits}u)) & vec4u(${2 ** bits - 1}u)));
}
`;

/** `rowQuad` where every invocation reads the row by itself, and the entry point. */
const aloneText = (p: NBitsProblem) => `${rowsText(p)}
fn rowQuad(quad: u32, lane: u32) -> vec4f { return aQuad(0u, quad); }
@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) count: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  run(linear_workgroup(group, count), local, 0u);
}
`;

/** The same where the four invocations of a quad load one element each. */
const sharedText = ({ k }: NBitsProblem) => `
@group(0) @binding(0) var<storage, read> a: array<elem>;
fn rowQuad(quad: u32, lane: u32) -> vec4f {
  let at = 4u * quad + lane;
  let own = ${k % 16 === 0 ? 'f32(a[at])' : 'select(0.0, f32(a[at]), at < params.k)'};
  return vec4f(quadBroadcast(own, 0u), quadBroadcast(own, 1u), quadBroadcast(own, 2u), quadBroadcast(own, 3u));
}
@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) count: vec3u,
  @builtin(local_invocation_index) local: u32, @builtin(subgroup_invocation_id) invocation: u32,
) {
  run(linear_workgroup(group, count), local, invocation & 3u);
}
`;

const elementBytes = (p: NBitsProblem) => byteSize(deviceType(p.dtype));

/** What a round of the loop costs a software adapter that is too long for a CPU's cache of decoded instructions. */
const longFlops = 400;

export const row: NBitsKernel = {
  name: 'row',
  space: { columnQuads: [4, 2, 1], lanes: [4, 16, 64] },
  epilogueAxis,
  when: (n, adapter) => canPack(n, adapter) && nbitsProblem(n).m === 1,
  cost(n, { columnQuads = 4, lanes = 4 }) {
    const p = nbitsProblem(n);
    const workgroups = ceilDiv(p.n, 4 * columnQuads * lanes);
    const invocations = workgroups * lanes;
    const numbers = numbersOfWord(p);
    const steps = invocations * ceilDiv(p.k, numbers);
    return {
      // A mask, a conversion, a product and a sum.
      flops: steps * numbers * 4 * columnQuads * 4,
      emulated: steps * (sumsFlops + (numbers * columnQuads > 16 ? longFlops : 0)),
      traffic:
        steps * (16 * columnQuads + numbers * elementBytes(p)) + invocations * p.blocks * columnQuads * 32 + p.n * 4,
      workgroups,
    };
  },
  dispatches(n, { columnQuads = 4, lanes = 4 }, { features }) {
    const p = nbitsProblem(n);
    const { bindings, dispatches } = packed(p);
    const shared = features.includes('subgroups');
    const bits = p.bits as 4 | 8;
    const front = nbitsText(n, p, {
      text: (shared ? sharedText : aloneText)(p) + packedText(p) + halvesText[bits] + masksText[bits],
      bindings,
    });
    const grid = { rowTiles: 1, columnTiles: ceilDiv(p.n, 4 * columnQuads * lanes) };
    return [
      ...dispatches,
      dispatch(p, grid, {
        label: 'row',
        front: shared ? { ...front, text: `enable subgroups;\n${front.text}` } : front,
        text: rowText,
        constants: { LANES: lanes, COLUMN_QUADS: columnQuads },
      }),
    ];
  },
};

/** What opening four by four numbers costs a software adapter beyond its operations, and finding the scale of each. */
const openFlops = 180;
const blockFlops = 300;

export const quad: NBitsKernel = {
  name: 'quad',
  space: { rowQuads: [4, 2, 1], lanes: [16, 64, 4] },
  epilogueAxis,
  when: (n, adapter) => canPack(n, adapter) && adapter.features.includes('subgroups'),
  cost(n, { rowQuads = 4, lanes = 16 }) {
    const p = nbitsProblem(n);
    const workgroups = ceilDiv(p.m, 4 * rowQuads) * ceilDiv(p.n, 4 * lanes);
    const steps = workgroups * lanes * ceilDiv(p.k, 4);
    const side = p.blocks === 1 ? 0 : 4 * elementBytes(p) + (p.zeros === 'none' ? 0 : 4);
    return {
      // To open a number takes a shift, a mask, a conversion, a difference and a product.
      flops: steps * 16 * (5 + 2 * 4 * rowQuads),
      emulated: steps * (sumsFlops * rowQuads + openFlops + (p.blocks === 1 ? 0 : blockFlops)),
      traffic: steps * (16 + side + 4 * rowQuads * elementBytes(p)) + p.m * p.n * elementBytes(p),
      workgroups,
    };
  },
  dispatches(n, { rowQuads = 4, lanes = 16 }) {
    const p = nbitsProblem(n);
    const { bindings, dispatches } = packed(p);
    const front = nbitsText(n, p, {
      text: rowsText(p) + packedText(p) + lanesText(p),
      bindings,
    });
    const grid = { rowTiles: ceilDiv(p.m, 4 * rowQuads), columnTiles: ceilDiv(p.n, 4 * lanes) };
    return [
      ...dispatches,
      dispatch(p, grid, {
        label: 'quad',
        front: { ...front, text: `enable subgroups;\n${front.text}` },
        text: quadText,
        constants: { LANES: lanes, ROW_QUADS: rowQuads },
      }),
    ];
  },
};
