// GraphProto → Graph as the file has it: nodes in the file's order and at the model's own opset, with
// every declared value. Constant nodes become constants; initialisers are no inputs, even where old
// models list them so. Values without a declared type are missing until `upgrade` has inferred them.

import { int64s, type NDArray, ndarray, scalar } from '../base/ndarray';
import type { TensorAttribute } from '../ir/attributes';
import { subgraphsOf } from '../ir/captures';
import type { Attributes, AttributeValue, Graph, Node, Value } from '../ir/graph';
import { malformed, unsupported } from './malformed';
import type { AttributeProto, GraphProto, NodeProto, ValueProto } from './proto';
import { readSparseTensor, type SparseTensor } from './sparse-tensor';
import { readTensor } from './tensor';
import { declaredValue } from './types';

export interface Surroundings {
  /** For a subgraph, whose inputs need not declare their types. */
  readonly isBody: boolean;
  /** Attributes that nodes may refer to: those of a call, inside a function. */
  readonly references?: Attributes;
}

export function readGraph(proto: GraphProto, surroundings: Surroundings = { isBody: false }): Graph {
  const values = new Map<string, Value>();
  const define = (value: Value, role: string) => {
    if (values.has(value.name)) throw malformed(`${role} "${value.name}" is defined twice.`, { value: value.name });
    values.set(value.name, value);
  };
  for (const tensor of proto.initializers) {
    const name = tensor.name ?? '';
    if (name === '') throw malformed('The model has an initialiser without a name.');
    define({ name, ...readTensor(tensor, `Initialiser "${name}"`) }, 'Initialiser');
  }
  const read = readNodes(proto.nodes, surroundings.references);
  const initialisers = proto.sparseInitializers.map((sparse) => {
    const name = sparse.values?.name ?? '';
    if (name === '') throw malformed('The model has a sparse initialiser without a name.');
    return readSparseTensor(sparse, name, `Initialiser "${name}"`);
  });
  const sparse = [...initialisers, ...read.sparse];
  for (const { constants, value } of sparse) for (const part of [...constants, value]) define(part, 'Initialiser');
  for (const constant of read.constants) define(constant, 'Constant');
  const nodes = [...initialisers.map(({ node }) => node), ...read.nodes];
  const dense = new Set(sparse.map(({ value }) => value.name));

  const inputs: string[] = [];
  for (const input of proto.inputs) {
    if (values.get(input.name ?? '')?.constant || dense.has(input.name ?? '')) continue;
    const value = declaredValue(input, 'input', surroundings.isBody);
    if (value) define(value, 'Input');
    else if (!surroundings.isBody)
      throw malformed(`The model's input "${input.name}" has no element type.`, { value: input.name });
    inputs.push(input.name as string);
  }
  const note = (declared: ValueProto, role: string, inside: boolean) => {
    const value = declaredValue(declared, role, inside);
    if (value && !values.has(value.name)) values.set(value.name, value);
  };
  for (const output of proto.outputs) note(output, 'output', surroundings.isBody);
  for (const value of proto.values) note(value, 'value', true);
  return { name: proto.name ?? '', nodes, values, inputs, outputs: proto.outputs.map((o) => o.name ?? '') };
}

/** The nodes, and as values what the Constant nodes among them hold. Sparse ones stay nodes, of their parts. */
export function readNodes(
  protos: readonly NodeProto[],
  references?: Attributes,
): { nodes: Node[]; constants: Value[]; sparse: SparseTensor[] } {
  const names = uniqueNames(protos);
  const nodes: Node[] = [];
  const constants: Value[] = [];
  const sparse: SparseTensor[] = [];
  protos.forEach((proto, i) => {
    const op = operatorName(proto);
    const name = names[i] as string;
    if (op === '') throw malformed(`Node "${name}" has no operator.`, { node: name });
    const { inputs, outputs } = proto;
    if (op === 'Constant') {
      if (!outputs[0]) return;
      const held = proto.attributes.find((a) => a.sparseTensor)?.sparseTensor;
      if (held) {
        const tensor = readSparseTensor(held, outputs[0], `Constant node "${name}"`);
        sparse.push(tensor);
        nodes.push(tensor.node);
      } else constants.push({ name: outputs[0], ...readConstant(proto.attributes, name, references) });
    } else {
      const attributes = readAttributes(proto.attributes, `${op} node "${name}"`, references);
      nodes.push({ name, op, inputs, outputs, attributes });
    }
  });
  return { nodes, constants, sparse };
}

/** All nodes, those of subgraphs after the node that holds them. */
export function withSubgraphNodes(nodes: readonly Node[]): Node[] {
  return nodes.flatMap((node) => [node, ...subgraphsOf(node).flatMap((g) => withSubgraphNodes(g.nodes))]);
}

export function operatorName({
  op = '',
  domain = '',
  overload = '',
}: Pick<NodeProto, 'op' | 'domain' | 'overload'>): string {
  const name = domain === '' || domain === 'ai.onnx' ? op : `${domain}.${op}`;
  return overload === '' ? name : `${name}:${overload}`;
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

function readConstant(
  attributes: readonly AttributeProto[],
  node: string,
  references: Attributes | undefined,
): TensorAttribute {
  const inline = (array: NDArray): TensorAttribute => {
    return { dtype: array.dtype, dims: array.dims, constant: { kind: 'inline', array } };
  };
  const owner = `Constant node "${node}"`;
  const attribute = attributes.find((a) => a.name?.startsWith('value') || a.name === 'sparse_value');
  if (attribute?.ref) return constantOf(attribute.name as string, attribute.ref, references, owner);
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

/** A constant whose value is an attribute of the function call around it. */
function constantOf(
  kind: string,
  reference: string,
  references: Attributes | undefined,
  owner: string,
): TensorAttribute {
  const value = references?.[reference];
  const array = (dtype: 'float32' | 'int64', values: readonly number[], dims = [values.length]): TensorAttribute => {
    return { dtype, dims, constant: { kind: 'inline', array: ndarray(dtype, dims, values) } };
  };
  if (typeof value === 'number') return array(kind === 'value_int' ? 'int64' : 'float32', [value], []);
  if (typeof value === 'object' && 'tensor' in value) return value.tensor;
  if (Array.isArray(value) && value.every((v) => typeof v === 'number')) {
    return array(kind === 'value_ints' ? 'int64' : 'float32', value);
  }
  throw malformed(`${owner} takes its value from the attribute "${reference}", which its function is not given.`);
}

export function readAttributes(
  protos: readonly AttributeProto[],
  owner: string,
  references?: Attributes,
): Node['attributes'] {
  const attributes: Record<string, AttributeValue> = {};
  for (const proto of protos) {
    const name = proto.name ?? '';
    const who = `Attribute "${name}" of ${owner}`;
    if (proto.ref) {
      if (!references) throw malformed(`${who} refers to the attribute "${proto.ref}" of a function, but is in none.`);
      const given = references[proto.ref];
      // An optional attribute that the call leaves out is left out here as well.
      if (given !== undefined) attributes[name] = given;
    } else {
      attributes[name] = readAttribute(proto, who, references);
    }
  }
  return attributes;
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

function readAttribute(proto: AttributeProto, owner: string, references: Attributes | undefined): AttributeValue {
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
      return { graph: readGraph(proto.graph, { isBody: true, ...(references && { references }) }) };
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
