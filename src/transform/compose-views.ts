// Data movement that other movement undoes or takes up: Identity goes; Reshapes, Transposes, Slices in a row become one;
// a Transpose that moves axes of size 1 only is a Reshape, and a Concat of Concats is one Concat.

import { int64s } from '../base/ndarray';
import { sameDims } from '../base/shape';
import type { Graph, Node } from '../ir/graph';
import { opOf } from '../ops/registry';
import { type Rule, rewrite, type Surroundings } from './rewrite';

export function composeViews(graph: Graph): Graph {
  return rewrite(graph, rules);
}

/** The node that computes a value, where it is of this operator. */
function writerOf(op: string, name: string, around: Surroundings): Node | undefined {
  const node = around.writer(name);
  return node?.op === op ? node : undefined;
}

/** The value whose bytes a view shows, through all views before it. */
export function sourceOf(name: string, around: Surroundings): string {
  let at = name;
  for (let node = around.writer(at); node && opOf(node).view; node = around.writer(at)) at = node.inputs[0] as string;
  return at;
}

/** The value, or a view of its bytes, in these dimensions. */
export function inShape(name: string, dims: readonly number[], around: Surroundings): string {
  const source = sourceOf(name, around);
  if (sameDims(around.type(name).dims, dims)) return name;
  if (sameDims(around.type(source).dims, dims)) return source;
  return around.add('Reshape', [source, around.constant(int64s(dims))], { allowzero: 1 });
}

const view: Rule = (node, around) => {
  const [x, output] = [node.inputs[0] as string, node.outputs[0] as string];
  const { dims } = around.type(output);
  const source = sourceOf(x, around);
  if (sameDims(around.type(x).dims, dims)) return x;
  if (sameDims(around.type(source).dims, dims)) return source;
  return source === x ? undefined : inShape(x, dims, around);
};

/** The axes' order that a Transpose node gives, default included. */
export function permOf(node: Node, around: Surroundings): readonly number[] {
  const rank = around.type(node.inputs[0] as string).dims.length;
  const perm = node.attributes.perm as readonly number[] | undefined;
  return perm ?? Array.from({ length: rank }, (_, i) => rank - 1 - i);
}

const transpose: Rule = (node, around) => {
  let perm = permOf(node, around);
  let source = node.inputs[0] as string;
  const before = writerOf('Transpose', source, around);
  if (before) {
    const inner = permOf(before, around);
    perm = perm.map((axis) => inner[axis] as number);
    source = before.inputs[0] as string;
  }
  const { dims } = around.type(source);
  const moving = perm.filter((axis) => dims[axis] !== 1);
  if (moving.every((axis, i) => i === 0 || axis > (moving[i - 1] as number))) {
    return inShape(source, around.type(node.outputs[0] as string).dims, around);
  }
  return before && around.add('Transpose', [source], { perm });
};

/** A Slice of a Slice, both forwards with bounds that are known, as one Slice of what the first one reads. */
const slice: Rule = (node, around) => {
  const before = writerOf('Slice', node.inputs[0] as string, around);
  const [outer, inner] = [windowsOf(node, around), before && windowsOf(before, around)];
  if (!before || !outer || !inner) return undefined;
  const { dims } = around.type(node.outputs[0] as string);
  const all = inner.map(({ start, step }, axis) => {
    const next = outer[axis] as Window;
    return { start: start + next.start * step, step: step * next.step, size: dims[axis] as number };
  });
  const list = (values: number[]) => around.constant(int64s(values));
  return around.add('Slice', [
    before.inputs[0] as string,
    list(all.map((w) => w.start)),
    list(all.map((w) => w.start + (w.size - 1) * w.step + 1)),
    list(all.map((_, axis) => axis)),
    list(all.map((w) => w.step)),
  ]);
};

interface Window {
  readonly start: number;
  readonly step: number;
}

/** For every axis where a Slice begins and how far apart it reads; undefined where it runs backwards or is empty. */
function windowsOf({ inputs, outputs }: Node, around: Surroundings): Window[] | undefined {
  const { dims } = around.type(inputs[0] as string);
  if (around.type(outputs[0] as string).dims.includes(0)) return undefined;
  const [starts, axes, steps] = [1, 3, 4].map((i) => (inputs[i] ? around.array(inputs[i])?.data : undefined));
  if (!starts || (inputs[3] && !axes) || (inputs[4] && !steps)) return undefined;
  const windows = dims.map((): Window => ({ start: 0, step: 1 }));
  for (let i = 0; i < starts.length; i++) {
    const axis = ((axes?.[i] ?? i) + dims.length) % dims.length;
    const step = steps?.[i] ?? 1;
    const size = dims[axis] as number;
    if (step < 1) return undefined;
    const start = starts[i] as number;
    windows[axis] = { start: Math.min(size, Math.max(0, start < 0 ? start + size : start)), step };
  }
  return windows;
}

const concat: Rule = (node, around) => {
  const rank = around.type(node.outputs[0] as string).dims.length;
  const axisOf = (n: Node) => ((n.attributes.axis as number) + rank) % rank;
  const parts = node.inputs.map((name) => {
    const inner = around.readOnce(name) ? writerOf('Concat', name, around) : undefined;
    return inner && axisOf(inner) === axisOf(node) ? inner.inputs : [name];
  });
  return parts.every((p) => p.length === 1) ? undefined : around.add('Concat', parts.flat(), node.attributes);
};

const rules: Readonly<Record<string, Rule>> = {
  Identity: view,
  Reshape: view,
  Squeeze: view,
  Unsqueeze: view,
  Flatten: view,
  Transpose: transpose,
  Slice: slice,
  Concat: concat,
};
