// GraphProto → Graph as the file has it: nodes in the file's order and at the model's own opset, with
// every declared value. Constant nodes become constants; initialisers are no inputs, even where old
// models list them so. Values without a declared type are missing until `upgrade` has inferred them.

import { int64s, type NDArray, ndarray, scalar } from '../base/ndarray';
import type { TensorAttribute } from '../ir/attributes';
import { subgraphsOf } from '../ir/captures';
import type { AttributeValue, Graph, Node, Value } from '../ir/graph';
import { malformed, unsupported } from './malformed';
import type { AttributeProto, GraphProto, NodeProto, ValueProto } from './proto';
import { readTensor } from './tensor';
import { declaredValue } from './types';

/** @param isBody for a subgraph, whose inputs need not declare their types */
export function readGraph(proto: GraphProto, isBody = false): Graph {
  const values = new Map<string, Value>();
  const sparse = proto.sparseInitializers[0];
  if (sparse)
    throw unsupported(`Initialiser "${sparse.values?.name ?? ''}" is sparse, which Lepton does not read yet.`);
  const define = (value: Value, role: string) => {
    if (values.has(value.name)) throw malformed(`${role} "${value.name}" is defined twice.`, { value: value.name });
    values.set(value.name, value);
  };
  for (const tensor of proto.initializers) {
    const name = tensor.name ?? '';
    if (name === '') throw malformed('The model has an initialiser without a name.');
    define({ name, ...readTensor(tensor, `Initialiser "${name}"`) }, 'Initialiser');
  }
  const { nodes, constants } = readNodes(proto.nodes);
  for (const constant of constants) define(constant, 'Constant');

  const inputs: string[] = [];
  for (const input of proto.inputs) {
    if (values.get(input.name ?? '')?.constant) continue;
    const value = declaredValue(input, 'input');
    if (value) define(value, 'Input');
    else if (!isBody) throw malformed(`The model's input "${input.name}" has no element type.`, { value: input.name });
    inputs.push(input.name as string);
  }
  const note = (declared: ValueProto, role: string) => {
    const value = declaredValue(declared, role);
    if (value && !values.has(value.name)) values.set(value.name, value);
  };
  for (const output of proto.outputs) note(output, 'output');
  for (const value of proto.values) note(value, 'value');
  return { name: proto.name ?? '', nodes, values, inputs, outputs: proto.outputs.map((o) => o.name ?? '') };
}

/** The nodes, and as values what the Constant nodes among them hold. */
export function readNodes(protos: readonly NodeProto[]): { nodes: Node[]; constants: Value[] } {
  const names = uniqueNames(protos);
  const nodes: Node[] = [];
  const constants: Value[] = [];
  protos.forEach((proto, i) => {
    const op = operatorName(proto);
    const name = names[i] as string;
    if (op === '') throw malformed(`Node "${name}" has no operator.`, { node: name });
    const { inputs, outputs } = proto;
    if (op === 'Constant') constants.push({ name: outputs[0] ?? '', ...readConstant(proto.attributes, name) });
    else
      nodes.push({ name, op, inputs, outputs, attributes: readAttributes(proto.attributes, `${op} node "${name}"`) });
  });
  return { nodes, constants };
}

/** All nodes, those of subgraphs after the node that holds them. */
export function withSubgraphNodes(nodes: readonly Node[]): Node[] {
  return nodes.flatMap((node) => [node, ...subgraphsOf(node).flatMap((g) => withSubgraphNodes(g.nodes))]);
}

export function operatorName({ op = '', domain = '' }: Pick<NodeProto, 'op' | 'domain'>): string {
  return domain === '' || domain === 'ai.onnx' ? op : `${domain}.${op}`;
}

/** ONNX lets names be absent or repeat; errors, profiles and labels need one for each. */
function uniqueNames(protos: readonly NodeProto[]): string[] {
  const given = new Set(protos.map((p) => p.name ?? ''));
  const used = new Set<string>();
  return protos.map((proto, i) => {
    let name = proto.name ?? '';
    if (name === '' || used.has(name)) {
      name = `${proto.op ?? ''}_${i}`;
      while (given.has(name) || used.has(name)) name += '_';
    }
    used.add(name);
    return name;
  });
}

function readConstant(attributes: readonly AttributeProto[], node: string): TensorAttribute {
  const inline = (array: NDArray): TensorAttribute => {
    return { dtype: array.dtype, dims: array.dims, constant: { kind: 'inline', array } };
  };
  const owner = `Constant node "${node}"`;
  const attribute = attributes.find((a) => a.name?.startsWith('value') || a.name === 'sparse_value');
  switch (attribute?.name) {
    case 'value':
      if (attribute.tensor) return readTensor(attribute.tensor, owner);
      break;
    case 'value_float':
      return inline(scalar('float32', attribute.float ?? 0));
    case 'value_int':
      return inline(scalar('int64', attribute.int ?? 0));
    case 'value_floats':
      return inline(ndarray('float32', [attribute.floats.length], attribute.floats));
    case 'value_ints':
      return inline(int64s(attribute.ints));
    case 'value_string':
    case 'value_strings':
    case 'sparse_value':
      throw unsupported(`${owner} holds a ${attribute.name}, which Lepton does not support.`, { node });
  }
  throw malformed(`${owner} has no value.`, { node });
}

function readAttributes(protos: readonly AttributeProto[], owner: string): Node['attributes'] {
  return Object.fromEntries(protos.map((p) => [p.name ?? '', readAttribute(p, `Attribute "${p.name}" of ${owner}`)]));
}

/** AttributeProto.AttributeType */
const foreignTypes: Readonly<Record<number, string>> = {
  9: 'list of tensors',
  10: 'list of graphs',
  11: 'sparse tensor',
  12: 'list of sparse tensors',
  13: 'type',
  14: 'list of types',
};

function readAttribute(proto: AttributeProto, owner: string): AttributeValue {
  if (proto.ref) throw malformed(`${owner} refers to the attribute "${proto.ref}" of a function, but is in none.`);
  switch (proto.type || typeByContent(proto)) {
    case 1:
      return proto.float ?? 0;
    case 2:
      return proto.int ?? 0;
    case 3:
      return proto.string ?? '';
    case 4:
      if (!proto.tensor) throw malformed(`${owner} has no tensor.`);
      return { tensor: readTensor(proto.tensor, owner) };
    case 5:
      if (!proto.graph) throw malformed(`${owner} has no graph.`);
      return { graph: readGraph(proto.graph, true) };
    case 6:
      return proto.floats;
    case 7:
      return proto.ints;
    case 8:
      return proto.strings;
  }
  const foreign = foreignTypes[proto.type ?? 0];
  if (foreign) throw unsupported(`${owner} is a ${foreign}, which Lepton does not support.`);
  throw malformed(`${owner} has the type ${proto.type}, which ONNX does not define.`);
}

/** The first version of the format had no `type`; a list without content may be of any kind. */
function typeByContent(proto: AttributeProto): number {
  if (proto.float !== undefined) return 1;
  if (proto.int !== undefined) return 2;
  if (proto.string !== undefined) return 3;
  if (proto.tensor) return 4;
  if (proto.graph) return 5;
  if (proto.floats.length > 0) return 6;
  if (proto.strings.length > 0) return 8;
  return 7;
}
