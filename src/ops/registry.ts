// Every operator Lepton knows, gathered from the files of this folder: adding one touches no list. Those that only training
// has are in training/, and join when it begins.

import { LeptonError } from '../base/errors';
import { formatDims, sizeOf } from '../base/shape';
import { readAttributes } from '../ir/attributes';
import type { Node, ProgramStep, Value } from '../ir/graph';
import { type NodeInput, NodeView, type TensorType } from '../ir/node-view';
import type { AnyFlow, AnyOp } from '../ir/opdef';
import type { ResolvedStep } from '../ir/pointwise';

const files = import.meta.glob<AnyOp | readonly AnyOp[]>('./*.op.ts', { eager: true, import: 'default' });

const registry = new Map<string, AnyOp>();
register(files);

/** Adds operators by the files that they are in. The same ones may come again. */
export function register(files: Readonly<Record<string, AnyOp | readonly AnyOp[]>>): void {
  for (const [file, exported] of Object.entries(files)) {
    for (const op of Array.isArray(exported) ? (exported as readonly AnyOp[]) : [exported as AnyOp]) {
      const known = registry.get(op.name);
      if (known && known !== op) throw new Error(`Operator ${op.name} is defined twice; the second time in ${file}.`);
      registry.set(op.name, op);
    }
  }
}

const flowFiles = import.meta.glob<readonly AnyFlow[]>('./*.flow.ts', { eager: true, import: 'default' });
const flows = new Map<string, AnyFlow>(Object.values(flowFiles).flatMap((list) => list.map((f) => [f.name, f])));

/** The control flow that a node is, if it is any. */
export function flowOf(node: Node): AnyFlow | undefined {
  return flows.get(node.op);
}

/** The operator of a node. Throws UNSUPPORTED_MODEL where Lepton lacks it. */
export function opOf(node: Node): AnyOp {
  return registry.get(node.op) ?? missing([node]);
}

/** Throws one UNSUPPORTED_MODEL that names every operator Lepton lacks, with its nodes. */
export function requireOps(nodes: Iterable<Node>): void {
  const lacking = [...nodes].filter((node) => !registry.has(node.op) && !flows.has(node.op));
  if (lacking.length > 0) missing(lacking);
}

function missing(nodes: readonly Node[]): never {
  const byOp = new Map<string, string[]>();
  for (const node of nodes) byOp.set(node.op, [...(byOp.get(node.op) ?? []), node.name]);
  const list = [...byOp].map(([op, names]) => {
    const shown = names
      .slice(0, 3)
      .map((n) => `"${n}"`)
      .join(', ');
    return `${op} (${shown}${names.length > 3 ? ` and ${names.length - 3} more` : ''})`;
  });
  throw new LeptonError(
    'UNSUPPORTED_MODEL',
    `The model needs ${byOp.size === 1 ? 'an operator' : `${byOp.size} operators`} that Lepton lacks: ${list.join('; ')}. ` +
      'Export the model without them, or ask for them in an issue.',
    { details: { missing: Object.fromEntries(byOp) } },
  );
}

/** A node with its attributes read and its input types looked up. */
export function viewNode(
  node: Node,
  values: ReadonlyMap<string, Value>,
  isConstant?: (name: string) => boolean,
): NodeView {
  const { attributes } = flowOf(node) ?? opOf(node);
  const typeOf = (name: string): NodeInput | undefined => {
    if (name === '') return undefined;
    const value = values.get(name);
    const dims = value?.dims;
    if (value?.members !== undefined) return undefined;
    if (!value || !dims?.every((d) => typeof d === 'number')) {
      throw new LeptonError(
        'UNSUPPORTED_MODEL',
        `The shape of "${name}", which ${node.op} node "${node.name}" reads, is not known before the run` +
          `${dims ? ` (${formatDims(dims)})` : ''}; it depends on the data itself.`,
        { details: { node: node.name, value: name } },
      );
    }
    const known = value.constant !== undefined || (isConstant?.(name) ?? false);
    return {
      dtype: value.dtype,
      dims: dims as readonly number[],
      isConstant: known,
      ...(value.constant?.kind === 'inline' && { array: value.constant.array }),
      ...(known && value.pattern && { pattern: value.pattern }),
    };
  };
  const maybeOutputs = node.outputs.map((name) => (name === '' ? undefined : values.get(name)));
  const outputs = maybeOutputs.map(
    (v) => ({ dtype: v?.dtype ?? 'float32', dims: (v?.dims ?? []) as readonly number[] }) as TensorType,
  );
  return new NodeView(
    node,
    readAttributes(node, attributes),
    node.inputs.map(typeOf),
    outputs,
    (node.program?.operands ?? []).map((name) => typeOf(name) as TensorType),
    (node.program?.steps ?? []).map((step) => resolve(step, node)),
  );
}

function resolve(step: ProgramStep, node: Node): ResolvedStep {
  const op = registry.get(step.op);
  if (!op?.pointwise) throw new Error(`${step.op} is not element-wise, but stands in the program of ${node.name}.`);
  // Attribute errors name the node that carries the program: the step has no name of its own.
  return { rule: op.pointwise, attributes: readAttributes({ ...node, attributes: step.attributes }, op.attributes) };
}

/** Shaders count elements in 32 bits, some with a sign; an absurd size must fail before anything is made in it. */
const mostElements = 2 ** 31 - 1;

/** The types of a node's outputs, program aside: sizes that can be. */
export function inferTypes(view: NodeView): TensorType[] {
  const types = opOf(view.node).infer(view);
  for (const { dims } of types) {
    if (dims.some((d) => !Number.isSafeInteger(d) || d < 0)) view.fail(`would have the shape ${formatDims(dims)}`);
    if (sizeOf(dims) > mostElements) {
      view.fail(
        `would have the shape ${formatDims(dims)}, more elements than can be counted in 31 bits`,
        'UNSUPPORTED_MODEL',
      );
    }
  }
  return types;
}

/** The types of a node's outputs, by name. A fused program changes the element type, never the shape. */
export function inferNode(node: Node, values: ReadonlyMap<string, Value>): Map<string, TensorType> {
  const view = viewNode(node, values);
  const types = inferTypes(view);
  const out = new Map<string, TensorType>();
  node.outputs.forEach((name, i) => {
    if (name === '') return;
    const type = types[i] ?? view.fail(`names ${node.outputs.length} outputs, but the operator gives ${types.length}`);
    const last = node.program?.steps.at(-1);
    out.set(name, last && i === 0 ? { dtype: last.dtype, dims: type.dims } : type);
  });
  return out;
}
