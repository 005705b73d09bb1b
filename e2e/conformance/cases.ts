// The cases of a folder laid out as ONNX's backend node tests: one folder a case, with `model.onnx` and
// `test_data_set_*` of `input_*.pb` and `output_*.pb`. Says of each which operator it is about, which types it
// uses, and whether a page's tensors can hold them; all of it read from the model, nothing from its name but
// which case an `_expanded` one expands.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DType } from '../../src/base/dtype';
import { dtypeOfNumber } from '../../src/base/onnx-dtypes';
import { operatorName } from '../../src/read/graph';
import { readMessage } from '../../src/read/message';
import {
  type AttributeProto,
  type GraphProto,
  graphProto,
  type ModelProto,
  modelProto,
  type NodeProto,
  type ValueProto,
} from '../../src/read/proto';
import { foreignName } from '../../src/read/types';
import { Window } from '../../src/read/window';
import { Wire } from '../../src/read/wire';
import { MemorySource } from '../support/memory-source';
import { readTensorFile } from '../support/tensor-file';

export interface ConformanceCase {
  /** The folder's name. */
  readonly name: string;
  /** The operator the case is about. */
  readonly op: string;
  /** Version of the operator set that the case is written for. */
  readonly opset: number;
  /** Element types of the model's inputs, else of its outputs, without repetition. */
  readonly dtypes: readonly DType[];
  /** Names of the model's inputs and outputs, in the order of the files. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly dataSets: readonly DataSet[];
  /** What of the case no tensor of a page can hold, such as 'sequence' or 'bfloat16'. */
  readonly outOfScope?: string;
  /** The values are drawn at random: only shapes and types can be compared, as ONNX's own runner does. */
  readonly random: boolean;
}

/** Paths of the files within the case's folder. */
export interface DataSet {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

export async function listCases(folder: string): Promise<ConformanceCase[]> {
  const names = readdirSync(folder)
    .filter((name) => existsSync(join(folder, name, 'model.onnx')))
    .sort();
  const described = await Promise.all(names.map((name) => describeCase(folder, name)));
  const byName = new Map(described.map((c) => [c.name, c]));
  return described.map(({ nodes, ...c }) => {
    const base = byName.get(c.name.replace(/_expanded(_ver\d+)?$/, ''));
    const ops = (base ?? { nodes }).nodes.map((node) => operatorName(node));
    const own = ops.filter((op) => op !== 'Constant');
    return { ...c, op: own.length === 1 ? (own[0] as string) : own.length === 0 ? 'Constant' : 'several operators' };
  });
}

type Described = Omit<ConformanceCase, 'op'> & { readonly nodes: readonly NodeProto[] };

async function describeCase(folder: string, name: string): Promise<Described> {
  const path = join(folder, name);
  const window = new Window(new MemorySource(readFileSync(join(path, 'model.onnx'))));
  const model = await readMessage(new Wire(window), modelProto(graphProto), window.fileEnd);
  if (!model.graph) throw new Error(`${path} has a model without a graph.`);
  const { graph } = model;
  const dataSets = readdirSync(path)
    .filter((entry) => entry.startsWith('test_data_set_'))
    .sort()
    .map((set) => ({ inputs: tensorFiles(path, set, 'input'), outputs: tensorFiles(path, set, 'output') }));
  const inputs = graph.inputs.map((value) => value.name ?? '');
  const outOfScope = beyondTensors(graph);
  const feed = (input: string | undefined) => {
    const file = dataSets[0]?.inputs[inputs.indexOf(input ?? '')];
    return file === undefined ? undefined : readTensorFile(readFileSync(join(path, file))).bytes;
  };
  return {
    name,
    nodes: graph.nodes,
    opset: opsetOf(model),
    dtypes: dtypesOf(graph.inputs.length > 0 ? graph.inputs : graph.outputs),
    inputs,
    outputs: graph.outputs.map((value) => value.name ?? ''),
    dataSets,
    ...(outOfScope !== undefined && { outOfScope }),
    random: outOfScope === undefined && allNodes(graph).some((node) => isRandom(node, feed)),
  };
}

function tensorFiles(path: string, set: string, prefix: 'input' | 'output'): string[] {
  const order = (file: string) => Number(/_(\d+)\.pb$/.exec(file)?.[1]);
  return readdirSync(join(path, set))
    .filter((file) => file.startsWith(`${prefix}_`) && file.endsWith('.pb'))
    .sort((a, b) => order(a) - order(b))
    .map((file) => `${set}/${file}`);
}

/** Of the default domain, or of the only one that the model imports. */
function opsetOf({ opsets }: ModelProto): number {
  const own = opsets.find((o) => !o.domain) ?? opsets[0];
  return own?.version ?? 1;
}

function dtypesOf(values: readonly ValueProto[]): DType[] {
  const dtypes = values.map((value) => dtypeOfNumber(value.type?.tensor?.elementType ?? 0));
  return [...new Set(dtypes.filter((dtype) => dtype !== undefined))];
}

function allNodes(graph: GraphProto): NodeProto[] {
  return graph.nodes.flatMap((node) => [
    node,
    ...node.attributes.flatMap((attribute) => (attribute.graph ? allNodes(attribute.graph) : [])),
  ]);
}

/** The first thing in inputs, outputs, declared values and attributes that is no tensor of numbers. */
function beyondTensors(graph: GraphProto): string | undefined {
  const values = [...graph.inputs, ...graph.outputs, ...graph.values].map(foreignValue);
  const attributes = allNodes(graph).flatMap((node) => node.attributes.map(foreignAttribute));
  return [...values, ...attributes].find((found) => found !== undefined);
}

function foreignValue({ type }: ValueProto): string | undefined {
  if (!type) return undefined;
  const { tensor, ...others } = type;
  return tensor ? foreignElement(tensor.elementType) : Object.keys(others)[0];
}

/** AttributeProto.AttributeType: 11 and 12 are sparse tensors, 13 and 14 the types of sequences and optionals. */
function foreignAttribute({ name, type, tensor }: AttributeProto): string | undefined {
  if (type === 11 || type === 12) return 'sparse tensor';
  if (type === 13 || type === 14) return 'type';
  if (name === 'value_string' || name === 'value_strings') return 'string';
  return tensor && foreignElement(tensor.type);
}

function foreignElement(type: number | undefined): string | undefined {
  if (!type || dtypeOfNumber(type)) return undefined;
  return foreignName(type) ?? `type ${type}`;
}

const randomOps = new Set([
  'Bernoulli',
  'Multinomial',
  'RandomNormal',
  'RandomNormalLike',
  'RandomUniform',
  'RandomUniformLike',
]);

/** Dropout draws where it trains and its ratio, by default a half, is not 0. */
function isRandom(node: NodeProto, feed: (input: string | undefined) => Uint8Array | undefined): boolean {
  if (node.op !== 'Dropout') return randomOps.has(node.op ?? '');
  const isZero = (bytes: Uint8Array) => bytes.every((byte) => byte === 0);
  const [ratio, training] = [feed(node.inputs[1]), feed(node.inputs[2])];
  return training !== undefined && !isZero(training) && !(ratio && isZero(ratio));
}

/** The first case of every pair of operator and input type: few enough to run in a second browser each time. */
export function onePerType(cases: readonly ConformanceCase[]): ConformanceCase[] {
  const seen = new Set<string>();
  return cases.filter(({ op, dtypes, outOfScope }) => {
    const unseen = dtypes.map((dtype) => `${op} ${dtype}`).filter((pair) => !seen.has(pair));
    if (outOfScope !== undefined || unseen.length === 0) return false;
    for (const pair of unseen) seen.add(pair);
    return true;
  });
}
