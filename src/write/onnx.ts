// A Graph as an .onnx file: names, symbolic sizes, subgraphs and constants as they are. Field numbers are those of
// https://github.com/onnx/onnx/blob/main/onnx/onnx.proto. Invariant: what is written reads back as the same graph.

import type { DType } from '../base/dtype';
import { LeptonError } from '../base/errors';
import { decode, encode, type NDArray, ndarray } from '../base/ndarray';
import { numberOfDType } from '../base/onnx-dtypes';
import { subgraphsOf, valuesNeeded } from '../ir/captures';
import type { AttributeValue, Constant, Dim, Graph, Node, StoredBytes, Value } from '../ir/graph';
import { joined, Message } from './message';
import { domainVersion, irVersionOf, opsetOf } from './onnx-versions';
import { sparseForm, sparseMessage } from './sparse';

export interface WriteOnnxOptions {
  /** Whether a number, or list of numbers, is of the kind float: a graph does not tell 1 from 1.0, but files do. */
  isFloat(node: Node, attribute: string): boolean;
  /** The bytes that a constant refers to. Without it all constants must be inline. */
  storedBytes?(bytes: StoredBytes): Uint8Array;
  /** Whether constants that are mostly zeros become sparse initialisers, where that is smaller. Default false. */
  readonly sparse?: boolean;
  /** Default: the oldest from 21 on that has every operator of the graph. */
  readonly opset?: number;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** @throws UNSUPPORTED_OPERATION for operators of Lepton's own and fused nodes, which have no form in ONNX */
export function writeOnnx(graph: Graph, options: WriteOnnxOptions): Uint8Array<ArrayBuffer> {
  const opset = options.opset ?? opsetOf(graph);
  const model = new Message()
    .int(1, irVersionOf(opset))
    .string(2, 'lepton')
    .message(7, graphMessage(graph, options, new Set()))
    .message(8, operatorSet('', opset));
  for (const domain of domainsOf(graph)) model.message(8, operatorSet(domain, domainVersion(domain)));
  for (const [key, value] of Object.entries(options.metadata ?? {})) {
    model.message(14, new Message().string(1, key).string(2, value));
  }
  return joined(model.finish());
}

function operatorSet(domain: string, version: number): Message {
  return new Message().string(1, domain).int(2, version);
}

/** @param outer names of the graphs around it, which a subgraph sees and so does not define */
function graphMessage(graph: Graph, options: WriteOnnxOptions, outer: ReadonlySet<string>): Message {
  const visible = new Set([...outer, ...graph.values.keys()]);
  const out = new Message();
  const nodes = graph.nodes.filter((node) => !isSparse(node));
  for (const node of nodes) out.message(1, nodeMessage(node, options, visible));
  out.string(2, graph.name || 'graph');
  const needed = new Set([...nodes.flatMap(valuesNeeded), ...graph.outputs]);
  const elements = (value: Value, constant: Constant) =>
    elementsOf(value.name, value.dtype, value.dims as readonly number[], constant, options);
  for (const node of graph.nodes.filter(isSparse)) {
    const parts = node.inputs.map((name) => {
      const value = graph.values.get(name) as Value;
      return elements(value, value.constant as Constant);
    });
    const [values, indices] = parts as [NDArray, NDArray];
    out.message(
      15,
      sparseMessage(node.outputs[0] as string, node.attributes.dims as readonly number[], values, indices),
    );
  }
  for (const value of graph.values.values()) {
    const { name, constant } = value;
    if (!constant || outer.has(name) || !needed.has(name)) continue;
    // An output must be a tensor: onnxruntime takes no sparse one for it.
    const mayBeSparse = options.sparse && !graph.outputs.includes(name);
    const form = mayBeSparse ? sparseForm(elements(value, constant)) : undefined;
    const dims = value.dims as readonly number[];
    if (form) out.message(15, sparseMessage(name, dims, form.values, form.indices));
    else out.message(5, tensorMessage(name, value.dtype, dims, constant, options));
  }
  for (const name of graph.inputs) out.message(11, valueMessage(name, graph.values.get(name)));
  for (const name of graph.outputs) out.message(12, valueMessage(name, graph.values.get(name)));
  return out;
}

/** A sparse initialiser, as graphs have it. */
function isSparse({ op }: Node): boolean {
  return op === 'lepton.SparseTensor';
}

/** 'ai.onnx.ml.Scaler' → 'ai.onnx.ml' and 'Scaler' */
function splitName(op: string): { readonly domain: string; readonly type: string } {
  const dot = op.lastIndexOf('.');
  return { domain: op.slice(0, Math.max(0, dot)), type: op.slice(dot + 1) };
}

function domainsOf(graph: Graph, domains = new Set<string>()): Set<string> {
  for (const node of graph.nodes) {
    const { domain } = splitName(node.op);
    if (domain !== '' && !isSparse(node)) domains.add(domain);
    for (const inner of subgraphsOf(node)) domainsOf(inner, domains);
  }
  return domains;
}

function nodeMessage(node: Node, options: WriteOnnxOptions, visible: ReadonlySet<string>): Message {
  const { domain, type } = splitName(node.op);
  if (domain === 'lepton' || node.program) {
    throw new LeptonError(
      'UNSUPPORTED_OPERATION',
      `Node "${node.name}" is ${node.program ? `a ${node.op} with fused work` : node.op}, which only Lepton has: it cannot be written as ONNX. Write the graph as it was before it was optimised.`,
      { details: { node: node.name, op: node.op } },
    );
  }
  const out = new Message();
  for (const name of node.inputs) out.string(1, name);
  for (const name of node.outputs) out.string(2, name);
  out.string(3, node.name).string(4, type);
  for (const [key, value] of Object.entries(node.attributes)) {
    out.message(5, attributeMessage(node, key, value, options, visible));
  }
  if (domain !== '') out.string(7, domain);
  return out;
}

/** AttributeProto.AttributeType */
const kinds = { float: 1, int: 2, string: 3, tensor: 4, graph: 5, floats: 6, ints: 7, strings: 8 } as const;

function attributeMessage(
  node: Node,
  key: string,
  value: AttributeValue,
  options: WriteOnnxOptions,
  visible: ReadonlySet<string>,
): Message {
  const out = new Message().string(1, key);
  const kind = (name: keyof typeof kinds) => out.int(20, kinds[name]);
  if (typeof value === 'string') return kind('string').string(4, value);
  if (typeof value === 'number') {
    return options.isFloat(node, key) ? kind('float').float(2, value) : kind('int').int(3, value);
  }
  if ('graph' in value) return kind('graph').message(6, graphMessage(value.graph, options, visible));
  if ('tensor' in value) {
    const { dtype, dims, constant } = value.tensor;
    return kind('tensor').message(5, tensorMessage('', dtype, dims, constant, options));
  }
  if (value.length > 0 && typeof value[0] === 'string') {
    for (const text of value as readonly string[]) out.string(9, text);
    return kind('strings');
  }
  const isFloat = options.isFloat(node, key);
  for (const number of value as readonly number[]) {
    if (isFloat) out.float(7, number);
    else out.int(8, number);
  }
  return kind(isFloat ? 'floats' : 'ints');
}

function tensorMessage(
  name: string,
  dtype: DType,
  dims: readonly number[],
  constant: Constant,
  options: WriteOnnxOptions,
): Message {
  const out = new Message();
  for (const d of dims) out.int(1, d);
  out.int(2, numberOfDType(dtype));
  if (name !== '') out.string(8, name);
  return out.bytes(9, bytesOf(name, dtype, dims, constant, options));
}

function bytesOf(
  name: string,
  dtype: DType,
  dims: readonly number[],
  constant: Constant,
  options: WriteOnnxOptions,
): Uint8Array {
  if (constant.kind === 'inline') return encode(constant.array);
  const atRest = constant.bytes.dtype ?? dtype;
  if (atRest === dtype) return storedBytes(name, constant, options);
  return encode(elementsOf(name, dtype, dims, constant, options));
}

function elementsOf(
  name: string,
  dtype: DType,
  dims: readonly number[],
  constant: Constant,
  options: WriteOnnxOptions,
): NDArray {
  if (constant.kind === 'inline') return constant.array;
  const array = decode(constant.bytes.dtype ?? dtype, dims, storedBytes(name, constant, options));
  return array.dtype === dtype ? array : ndarray(dtype, dims, array.data);
}

function storedBytes(
  name: string,
  { bytes }: Extract<Constant, { kind: 'stored' }>,
  options: WriteOnnxOptions,
): Uint8Array {
  if (options.storedBytes) return options.storedBytes(bytes);
  throw new LeptonError('INTERNAL', `The elements of the constant "${name}" are in a file that was not given.`);
}

function valueMessage(name: string, value: Value | undefined): Message {
  const out = new Message().string(1, name);
  if (!value) return out;
  const tensor = new Message().int(1, numberOfDType(value.dtype));
  if (value.dims) tensor.message(2, shapeMessage(value.dims));
  return out.message(2, new Message().message(1, tensor));
}

function shapeMessage(dims: readonly Dim[]): Message {
  const out = new Message();
  for (const dim of dims) {
    out.message(1, typeof dim === 'number' ? new Message().int(1, dim) : new Message().string(2, dim));
  }
  return out;
}
