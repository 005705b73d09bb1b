// A node as a problem for measuring: what tells it from others (its signature), and the node alone as a graph
// with inputs and constants of its own, so that one kernel can be run without the model around it.

import type { DType } from '../base/dtype';
import { isFloat, packedBytes } from '../base/dtype';
import type { NDArray } from '../base/ndarray';
import { sizeOf } from '../base/shape';
import type { Constant, Graph, Value } from '../ir/graph';
import type { NodeInput, NodeView, TensorType } from '../ir/node-view';
import { patternOf } from '../ir/pattern';
import { likeness, sparseNoise } from './sparse-noise';

/** The file that the constants of an isolated node are said to lie in: `noise:` and their element type. */
export const noiseFile = (dtype: DType) => `noise:${dtype}`;

/**
 * What a variant's time hangs on: operator, attributes, types, fused program, what is constant, and the elements
 * that planning may look at. Equal problems have equal signatures, whatever their values are called.
 */
export function signatureOf(n: NodeView): string {
  const { node } = n;
  const names = [...node.inputs, ...(node.program?.operands ?? [])];
  const type = (t: TensorType | undefined) => (t ? `${t.dtype}[${t.dims}]` : '');
  const constant = (t: NodeInput) => `=${t.array ? digest(t.array) : ''}${t.pattern ? likeness(t.pattern) : ''}`;
  const input = (t: NodeInput | undefined) => `${type(t)}${t?.isConstant ? constant(t) : ''}`;
  return hash(
    JSON.stringify([
      node.op,
      node.attributes,
      node.program?.steps ?? null,
      n.inputs.map(input),
      n.operands.map(type),
      n.outputs.map(type),
      // A value read twice is bound twice.
      names.map((name) => names.indexOf(name)),
    ]),
  );
}

/** The node alone. Constants that planning does not know lie in `noiseFile`s. */
export function isolate(n: NodeView): Graph {
  const { node } = n;
  const values = new Map<string, Value>();
  const inputs = new Set<string>();
  const read = (name: string, type: TensorType & Partial<NodeInput>) => {
    if (name === '' || values.has(name)) return;
    const { dtype, dims } = type;
    if (!type.isConstant) inputs.add(name);
    const known = type.isConstant && (type.array ?? (type.pattern && sparseNoise(dtype, dims, type.pattern)));
    const pattern = known && (isFloat(dtype) ? patternOf(known) : type.pattern);
    values.set(name, {
      name,
      dtype,
      dims,
      ...(type.isConstant && { constant: known ? inline(known) : noise(type) }),
      ...(pattern && { pattern }),
    });
  };
  n.inputs.forEach((type, i) => {
    if (type) read(node.inputs[i] as string, type);
  });
  n.operands.forEach((type, i) => {
    read(node.program?.operands[i] as string, type);
  });
  n.outputs.forEach(({ dtype, dims }, i) => {
    const name = node.outputs[i] as string;
    if (name !== '') values.set(name, { name, dtype, dims });
  });
  const outputs = node.outputs.filter((name) => name !== '');
  return { name: `measure ${node.op}`, nodes: [node], values, inputs: [...inputs], outputs };
}

function inline(array: NDArray): Constant {
  return { kind: 'inline', array };
}

function noise({ dtype, dims }: TensorType): Constant {
  return { kind: 'stored', bytes: { file: noiseFile(dtype), offset: 0, length: packedBytes(dtype, sizeOf(dims)) } };
}

/** The elements, where there are as few of them as of what kernels plan by: axes, sizes, scales. Others are weights. */
function digest({ dtype, data }: NDArray): string {
  return data.length <= (isFloat(dtype) ? 8 : 64) ? data.join() : '';
}

/** 64 bits of FNV-1a, two halves with different seeds; a collision costs speed, not correctness. */
function hash(text: string): string {
  let [a, b] = [0x811c9dc5, 0x01000193];
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    a = Math.imul(a ^ code, 0x01000193);
    b = Math.imul(b ^ code, 0x85ebca6b) ^ (b >>> 13);
  }
  return [a, b].map((half) => (half >>> 0).toString(16).padStart(8, '0')).join('');
}
