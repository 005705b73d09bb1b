// WGSL that stands in front of the attention shaders: reads and stores of four elements, mask, lengths, sinks;
// and what the dispatches of the variants share.

import blocks from '../../../shaders/attention-blocks.wgsl?raw';
import common from '../../../shaders/attention-common.wgsl?raw';
import online from '../../../shaders/attention-online.wgsl?raw';
import { byteSize, deviceType, isFloat } from '../../base/dtype';
import type { Dispatch, Kernel, Operand } from '../../ir/kernel';
import { foldWorkgroups, linearHelpers } from '../wgsl/dispatch';
import { elemAliases, elementAt, wordType } from '../wgsl/elements';
import { type AttentionAttributes, type AttentionNode, input, type Problem, problemOf, resultSteps } from './problem';

export type AttentionKernel = Kernel<AttentionAttributes>;

/** How a line is read: whole quads where lines start at multiples of four, four quads at once where of sixteen. */
type Reading = 'elements' | 'quads' | 'blocks';

/** Reads of quad c of a line; lanes past the line's end are zero. */
function quadText(name: string, binding: number, size: string, reading: Reading): string {
  const [type, body] = {
    elements: [
      'elem',
      `let first = at + 4u * c;
  let all = vec4f(vec4<elem>(${name}[first], ${name}[first + 1u], ${name}[first + 2u], ${name}[first + 3u]));
  return select(vec4f(), all, 4u * c + vec4u(0u, 1u, 2u, 3u) < vec4u(params.${size}));`,
    ],
    quads: ['elem4', `return vec4f(${name}[(at >> 2u) + c]);`],
    blocks: ['mat4x4<elem>', `return vec4f(${name}[(at >> 4u) + c / 4u][c % 4u]);`],
  }[reading];
  return `@group(0) @binding(${binding}) var<storage, read> ${name}: array<${type}>;
fn ${name}Quad(at: u32, c: u32) -> vec4f {
  ${body}
}`;
}

interface Part {
  readonly text: string;
  readonly bindings: Readonly<Record<string, Operand>>;
}

function join(...parts: readonly Part[]): Part {
  return {
    text: parts.map((p) => p.text).join('\n'),
    bindings: Object.assign({}, ...parts.map((p) => p.bindings)),
  };
}

/** Queries, keys and values; keys and values sixteen elements at a time where `blocked` says so. */
export function operands(p: Problem, blocked: (size: number) => boolean = () => false): Part {
  const whole = (size: number): Reading => (size % 4 === 0 ? 'quads' : 'elements');
  const reading = (size: number): Reading => (blocked(size) ? 'blocks' : whole(size));
  return {
    text: [
      quadText('q', 0, 'depth', whole(p.depth)),
      quadText('k', 1, 'depth', reading(p.depth)),
      quadText('v', 2, 'valueDepth', reading(p.valueDepth)),
      blocks,
    ].join('\n'),
    bindings: { q: { input: p.q.source }, k: { input: p.k.source }, v: { input: p.v.source } },
  };
}

export function result(p: Problem): Part {
  const aligned = p.valueDepth % 4 === 0;
  const body = aligned
    ? 'y[(at >> 2u) + c] = elem4(v);'
    : `var lanes = v;
  for (var i = 0u; i < 4u; i++) {
    if (4u * c + i < params.valueDepth) { y[at + 4u * c + i] = elem(lanes[i]); }
  }`;
  return {
    text: `@group(0) @binding(3) var<storage, read_write> y: array<${aligned ? 'elem4' : 'elem'}>;
fn storeQuad(at: u32, c: u32, v: vec4f) {
  ${body}
}`,
    bindings: { y: { output: 0 } },
  };
}

/** What hides keys, and the sinks; functions that say "nothing does" where the node lacks them. */
export function limits(n: AttentionNode): Part {
  const mask = n.inputs[input.mask];
  const optional = (i: number, name: string, binding: number, word: string, present: string, absent: string): Part =>
    n.has(i)
      ? {
          text: `@group(0) @binding(${binding}) var<storage, read> ${name}: array<${word}>;\n${present}`,
          bindings: { [name]: { input: i } },
        }
      : { text: absent, bindings: {} };
  const maskWord = mask ? wordType(mask.dtype) : 'u32';
  const bits =
    mask && isFloat(mask.dtype)
      ? 'bitcast<u32>(f32(mask[at]))'
      : `select(0xff800000u, 0u, ${elementAt('bool', 'mask', 'at')})`;
  return join(
    optional(
      input.mask,
      'mask',
      5,
      maskWord,
      `fn maskBits(at: u32) -> u32 { return ${bits}; }`,
      'fn maskBits(at: u32) -> u32 { return 0u; }',
    ),
    optional(
      input.lengths,
      'lengths',
      6,
      'i32',
      'fn validKeys(batch: u32) -> i32 { return lengths[batch]; }',
      'fn validKeys(batch: u32) -> i32 { return i32(params.keys); }',
    ),
    optional(
      input.sink,
      'sink',
      7,
      n.has(input.sink) ? wordType(n.input(input.sink).dtype) : 'f32',
      'fn sinkOf(head: u32) -> f32 { return f32(sink[head]); }',
      'fn sinkOf(head: u32) -> f32 { return 0.0; }',
    ),
  );
}

/** How a variant cuts its work; `items` are workgroups, or invocations where each is on its own. */
export interface Grid {
  readonly rowTiles: number;
  readonly columnTiles: number;
  readonly splits: number;
  readonly items: number;
}

export function attentionDispatch(
  n: AttentionNode,
  grid: Grid,
  variant: {
    label: string;
    shader: string;
    /** Declarations between the aliases and the shader: operands, results, constants. */
    /** Directives, which must come first. */
    enables?: string;
    parts: readonly Part[];
    constants: Record<string, number>;
    workgroups: number;
  },
): Dispatch {
  const p = problemOf(n);
  const { attributes } = n;
  const all = join(limits(n), ...variant.parts);
  const steps = (s: readonly number[], last = 0) => [...s, last];
  return {
    label: variant.label,
    wgsl: [
      variant.enables ?? '',
      elemAliases(n.input(input.q).dtype),
      linearHelpers,
      all.text,
      common,
      online,
      variant.shader,
    ].join('\n'),
    constants: {
      CAUSAL: attributes.causal ? 1 : 0,
      FROM_END: attributes.fromEnd ? 1 : 0,
      WINDOWED: attributes.window > 0 ? 1 : 0,
      MASKED: n.has(input.mask) ? 1 : 0,
      SOFTCAP: attributes.softcap > 0 ? 1 : 0,
      SINK: n.has(input.sink) ? 1 : 0,
      ...variant.constants,
    },
    bindings: all.bindings,
    uniforms: {
      qSteps: steps(p.q.steps),
      kSteps: steps(p.k.steps, p.k.begin),
      vSteps: steps(p.v.steps, p.v.begin),
      ySteps: steps(resultSteps(n, p)),
      maskSteps: steps(p.mask?.steps ?? [0, 0, 0], p.mask?.keys),
      rows: p.group * p.queries,
      queries: p.queries,
      keys: p.keys,
      depth: p.depth,
      valueDepth: p.valueDepth,
      group: p.group,
      kvHeads: p.kvHeads,
      ...grid,
      scale: p.scale,
      softcap: attributes.softcap,
      offset: attributes.offset,
      window: attributes.window,
    },
    workgroups: foldWorkgroups(variant.workgroups),
  };
}

export const elementBytes = (n: AttentionNode) => byteSize(deviceType(n.input(input.q).dtype));

/** The share of keys that a causal row sees on average, as far as the shapes tell. */
export function seenShare(n: AttentionNode, p: Problem): number {
  if (!n.attributes.causal) return 1;
  const offset = n.attributes.fromEnd ? p.keys - p.queries : n.attributes.offset;
  const mean = Math.max(0, Math.min(p.keys, offset + p.queries / 2));
  const window = n.attributes.window > 0 ? Math.min(mean, n.attributes.window) : mean;
  return Math.max(window / Math.max(1, p.keys), 1 / Math.max(1, p.keys));
}
