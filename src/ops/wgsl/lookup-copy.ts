// Copies in which every output element is an element of input 0 that input 1, the indices, helps to find:
// Gather and its kin. An invocation owns one quad of the output. Elements move as bits, so any type of the
// same width shares a pipeline.

import { ceilDiv, sizeOf } from '../../base/shape';
import type { UniformValue } from '../../base/wgsl-interface';
import type { Cost, Dispatch } from '../../ir/kernel';
import type { NodeView } from '../../ir/node-view';
import { oneEach } from './dispatch';
import { eachLane, elementAt, elementHelpers, packQuad, quadType, wordsPerQuad, wordType } from './elements';
import { bitsType } from './strided-copy';

const workgroupSize = 64;

export interface Lookup {
  readonly label: string;
  /** Whether `source_index` counts quads, each of which lies in the source as it does in the output. */
  readonly inQuads?: boolean;
  /** Fields of the uniform struct `params`, and their values. */
  readonly fields: string;
  readonly uniforms: Readonly<Record<string, UniformValue>>;
  /**
   * WGSL of `fn source_index(index: u32) -> u32`. It may read `indices: array<i32>` and call
   * `along(picked: i32, size: u32) -> u32`, which counts negative indices from the end, and clamps.
   */
  readonly code: string;
}

export function lookupCopy(n: NodeView, { label, inQuads, fields, uniforms, code }: Lookup): Dispatch {
  const { dtype, dims } = n.output(0);
  const bits = bitsType(dtype);
  const quads = ceilDiv(sizeOf(dims), 4);
  const copy = inQuads
    ? 'result[quad] = source[source_index(quad)];'
    : `${eachLane(elementAt(bits, 'source', 'source_index(quad * 4u + k)'))}
  result[quad] = ${packQuad(bits, 'lanes')};`;
  const wgsl = `${elementHelpers}
struct Params { quads: u32, ${fields} }
@group(0) @binding(0) var<storage, read> source: array<${inQuads ? quadType(bits) : wordType(bits)}>;
@group(0) @binding(1) var<storage, read> indices: array<i32>;
@group(0) @binding(2) var<storage, read_write> result: array<${quadType(bits)}>;
@group(0) @binding(3) var<uniform> params: Params;
fn along(picked: i32, size: u32) -> u32 {
  return u32(clamp(select(picked, picked + i32(size), picked < 0), 0, i32(size) - 1));
}
${code}
@compute @workgroup_size(${workgroupSize})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) count: vec3u) {
  let quad = id.y * count.x * ${workgroupSize}u + id.x;
  if (quad >= params.quads) { return; }
  ${copy}
}
`;
  return {
    label,
    wgsl,
    bindings: { source: { input: 0 }, indices: { input: 1 }, result: { output: 0 } },
    uniforms: { quads, ...uniforms },
    workgroups: oneEach(quads, workgroupSize),
  };
}

/** @param coordinates indices read for each element (or quad) */
export function lookupCost(n: NodeView, coordinates: number, inQuads = false): Cost {
  const quads = ceilDiv(sizeOf(n.output(0).dims), 4);
  const bytes = 4 * wordsPerQuad(n.output(0).dtype);
  const items = inQuads ? 1 : 4;
  return {
    flops: quads * items * 8 * coordinates,
    traffic: quads * (bytes + (inQuads ? bytes : 16) + 4 * items * coordinates),
    workgroups: ceilDiv(quads, workgroupSize),
  };
}
