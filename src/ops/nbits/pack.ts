// Packing of quantised weights at load for kernels of adapters that are a CPU, such that one load brings numbers of four
// columns; their scales and zero points likewise.

import packText from '../../../shaders/nbits-pack.wgsl?raw';
import packSideText from '../../../shaders/nbits-pack-side.wgsl?raw';
import { byteSize, type DType, deviceType } from '../../base/dtype';
import { ceilDiv } from '../../base/shape';
import type { Dispatch, Operand } from '../../ir/kernel';
import { linearHelpers, oneEach } from '../wgsl/dispatch';
import { elemAliases } from '../wgsl/elements';
import type { NBitsProblem } from './problem';
import { numbersOfWord } from './product';

const packGroup = 64;

interface Packed {
  /** Of weights, scales and zero points. */
  readonly bindings: Readonly<Record<string, Operand>>;
  readonly dispatches: readonly Dispatch[];
}

export const wordsOf = (p: NBitsProblem) => (p.blocks * p.blockSize) / numbersOfWord(p);

export function packed(p: NBitsProblem): Packed {
  const words = wordsOf(p);
  const quads = ceilDiv(p.n, 4);
  const weights: Operand = { scratch: 'packed', bytes: 16 * words * quads };
  const dispatch: Dispatch = {
    label: 'MatMulNBits.pack',
    wgsl: linearHelpers + packText,
    constants: { WORKGROUP: packGroup, BITS: p.bits },
    bindings: { source: { input: 1 }, packed: weights },
    uniforms: { columns: p.n, words, quads },
    workgroups: oneEach(words * quads, packGroup),
    once: true,
  };
  const scales = side(p, 'scales', 2, floatSide(p.dtype));
  const zeros =
    p.zeros === 'none' ? undefined : side(p, 'zeros', 3, p.zeros === 'float' ? floatSide(p.dtype) : byteSide(p));
  return {
    bindings: { weights, scales: scales.operand, ...(zeros && { zeros: zeros.operand }) },
    dispatches: [dispatch, scales.dispatch, ...(zeros ? [zeros.dispatch] : [])],
  };
}

/** How scales or zero points are packed: `valueOf` reads one, `joined` makes a vector of four columns. */
interface Side {
  readonly text: string;
  readonly bytes: number;
}

const floatSide = (dtype: DType): Side => ({
  text: `
alias Four = elem4;
@group(0) @binding(0) var<storage, read> source: array<elem>;
fn valueOf(column: u32, block: u32) -> f32 { return f32(source[column * params.blocks + block]); }
fn joined(v: vec4f) -> Four { return elem4(v); }
`,
  bytes: 4 * byteSize(deviceType(dtype)),
});

const byteSide = ({ bits, zeroBytes }: NBitsProblem): Side => ({
  text: `
alias Four = u32;
@group(0) @binding(0) var<storage, read> source: array<u32>;
fn valueOf(column: u32, block: u32) -> f32 {
  let bit = 8u * column * ${zeroBytes}u + block * ${bits}u;
  return f32(extractBits(source[bit / 32u], bit % 32u, ${bits}u));
}
fn joined(v: vec4f) -> Four { return dot(vec4u(v), vec4u(1u, 1u << 8u, 1u << 16u, 1u << 24u)); }
`,
  bytes: 4,
});

function side(p: NBitsProblem, name: string, input: number, { text, bytes }: Side) {
  const quads = ceilDiv(p.n, 4);
  const operand: Operand = { scratch: name, bytes: 16 * ceilDiv(p.blocks * quads * bytes, 16) };
  const dispatch: Dispatch = {
    label: `MatMulNBits.${name}`,
    wgsl: elemAliases(p.dtype) + linearHelpers + packSideText + text,
    constants: { WORKGROUP: packGroup },
    bindings: { source: { input }, packed: operand },
    uniforms: { columns: p.n, blocks: p.blocks, quads },
    workgroups: oneEach(p.blocks * quads, packGroup),
    once: true,
  };
  return { operand, dispatch };
}
