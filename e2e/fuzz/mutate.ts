// Damages a model, the same way for the same seed: its bytes as a bad disk or a cut download would, or its
// structure as a broken exporter or somebody with bad intentions would.

import { mulberry32 } from '../support/random';
import { allFields, copyOf, type Field, parseModel, serialise } from './proto-tree';

type Pick = <T>(from: readonly T[]) => T;
/** A whole number in [0, n). */
type Below = (n: number) => number;

export function mutate(model: Uint8Array, seed: number): Uint8Array<ArrayBuffer> {
  const random = mulberry32(seed);
  const below: Below = (n) => Math.floor(random() * n);
  const pick: Pick = (from) => from[below(from.length)] as (typeof from)[number];
  const changes = pick([1, 1, 1, 2, 3]);
  if (random() < 0.25) {
    let bytes = new Uint8Array(model);
    for (let i = 0; i < changes; i++) bytes = pick(byteMutations)(bytes, below, pick);
    return bytes;
  }
  const tree = parseModel(model);
  for (let i = 0; i < changes; i++) pick(treeMutations)(tree, pick, below);
  return serialise(tree);
}

type ByteMutation = (bytes: Uint8Array<ArrayBuffer>, below: Below, pick: Pick) => Uint8Array<ArrayBuffer>;

const byteMutations: readonly ByteMutation[] = [
  (bytes, below) => edited(bytes, below(bytes.length), (byte) => byte ^ (1 << below(8))),
  (bytes, below, pick) => edited(bytes, below(bytes.length), () => pick([0, 1, 0x7f, 0x80, 0xff])),
  (bytes, below) => bytes.slice(0, below(bytes.length)),
  (bytes, below) => {
    const at = below(bytes.length);
    return spliced(bytes, at, 1 + below(16), new Uint8Array());
  },
  (bytes, below) => {
    const at = below(bytes.length);
    return spliced(bytes, below(bytes.length), 0, bytes.slice(at, at + 1 + below(64)));
  },
  // A varint that does not end, or that says more than there is.
  (bytes, below, pick) =>
    spliced(bytes, below(bytes.length), 1, new Uint8Array(pick([5, 9, 12])).fill(0xff, 0, pick([4, 8, 12]))),
];

function edited(bytes: Uint8Array<ArrayBuffer>, at: number, edit: (byte: number) => number): Uint8Array<ArrayBuffer> {
  if (at < bytes.length) bytes[at] = edit(bytes[at] as number);
  return bytes;
}

function spliced(bytes: Uint8Array, at: number, removed: number, added: Uint8Array): Uint8Array<ArrayBuffer> {
  const rest = bytes.subarray(at + removed);
  const out = new Uint8Array(at + added.length + rest.length);
  out.set(bytes.subarray(0, at));
  out.set(added, at);
  out.set(rest, at + added.length);
  return out;
}

/** Sizes, axes, types and counts that no honest model has, and small ones that fit nowhere in particular. */
const numbers = [
  ...[0n, 1n, 2n, 3n, 4n, 7n, 8n, 10n, 16n, 23n, 100n],
  ...[-1n, -2n, -5n],
  ...[
    2n ** 31n - 1n,
    2n ** 31n,
    2n ** 32n,
    2n ** 40n,
    2n ** 53n,
    2n ** 53n + 1n,
    2n ** 63n - 1n,
    -(2n ** 31n),
    -(2n ** 63n),
  ],
];
const floats = [0, -0, 1, -1, 0.5, 1e-30, 1e30, Number.NaN, Number.POSITIVE_INFINITY];
const operators = 'Add Reshape Concat Gather Slice Conv Expand Pad Resize TopK If Loop Scan Softmax Einsum Cast'.split(
  ' ',
);
const words = [
  '',
  'x',
  'constructor',
  '__proto__',
  'ai.onnx',
  'com.microsoft',
  '\u0000',
  'é'.repeat(50),
  'n'.repeat(5000),
];

type TreeMutation = (tree: Field[], pick: Pick, below: Below) => void;

function choose(tree: Field[], pick: Pick, wanted: (field: Field) => boolean) {
  const found = allFields(tree).filter(({ field }) => wanted(field));
  return found.length > 0 ? pick(found) : undefined;
}

const isNumber = ({ varint }: Field) => varint !== undefined;
const isText = ({ message, name }: Field) =>
  ['op', 'domain', 'param', 'name', 'inputs', 'outputs', 'string', 'strings', 'ref'].includes(name) ||
  (message === 'StringStringEntryProto' && name !== '');
const utf8 = new TextEncoder();

const treeMutations: readonly TreeMutation[] = [
  function setNumber(tree, pick) {
    const found = choose(tree, pick, isNumber);
    if (found) found.field.varint = pick(numbers);
  },
  function setSize(tree, pick) {
    const found = choose(tree, pick, ({ name }) => ['dims', 'value', 'ints', 'int'].includes(name));
    if (found?.field.varint !== undefined) found.field.varint = pick(numbers);
    else if (found?.field.children) found.field.children = [];
  },
  function setType(tree, pick, below) {
    const found = choose(
      tree,
      pick,
      ({ name, varint }) => ['type', 'elementType'].includes(name) && varint !== undefined,
    );
    if (found) found.field.varint = BigInt(below(32));
  },
  // A name for another: cycles, values that nobody makes, two that make the same, inputs of the wrong kind.
  function rename(tree, pick) {
    const names = allFields(tree).filter(({ field }) => ['inputs', 'outputs', 'name'].includes(field.name));
    const found = choose(tree, pick, ({ name }) => ['inputs', 'outputs', 'name'].includes(name));
    const other = names.length > 0 ? pick(names).field : undefined;
    if (found?.field.bytes && other?.bytes) found.field.bytes = other.bytes;
  },
  function setText(tree, pick) {
    const found = choose(tree, pick, isText);
    if (found?.field.bytes) found.field.bytes = utf8.encode(pick(words));
  },
  function setOperator(tree, pick) {
    const found = choose(tree, pick, ({ message, name }) => message === 'NodeProto' && name === 'op');
    if (found) found.field.bytes = utf8.encode(pick(operators));
  },
  function setFloat(tree, pick) {
    const found = choose(tree, pick, ({ wire }) => wire === 5);
    if (found) found.field.bytes = new Uint8Array(Float32Array.of(pick(floats)).buffer);
  },
  function drop(tree, pick) {
    const found = choose(tree, pick, () => true);
    found?.siblings.splice(found.siblings.indexOf(found.field), 1);
  },
  function repeat(tree, pick, below) {
    const found = choose(tree, pick, () => true);
    for (let i = 0; found && i < pick([1, 1, 2, 50]); i++) {
      found.siblings.splice(below(found.siblings.length + 1), 0, copyOf(found.field));
    }
  },
  function swap(tree, pick) {
    const found = choose(tree, pick, () => true);
    if (!found) return;
    const { siblings } = found;
    const [i, j] = [siblings.indexOf(found.field), siblings.indexOf(pick(siblings))];
    [siblings[i], siblings[j]] = [siblings[j] as Field, siblings[i] as Field];
  },
  /** A part of one message put into another, such as an attribute into another node. */
  function graft(tree, pick) {
    const from = choose(tree, pick, () => true);
    const into = choose(tree, pick, ({ children }) => children !== undefined);
    if (from && into?.field.children) into.field.children.push(copyOf(from.field));
  },
  function setFieldNumber(tree, pick, below) {
    const found = choose(tree, pick, () => true);
    if (found) found.field.number = 1 + below(22);
  },
  function resizeData(tree, pick, below) {
    const found = choose(
      tree,
      pick,
      ({ bytes, wire, name }) => wire === 2 && bytes !== undefined && !isText({ name } as Field),
    );
    if (found?.field.bytes)
      found.field.bytes = pick([
        found.field.bytes.slice(0, below(found.field.bytes.length + 1)),
        new Uint8Array(below(64)),
      ]);
  },
  /** An input with a constant of the model in its place: sizes, axes and indices that the model itself chose. */
  function fix(tree, pick) {
    const graph = tree.find(({ name }) => name === 'graph');
    const input = choose(tree, pick, ({ message, name }) => message === 'GraphProto' && name === 'inputs')?.field;
    if (!graph?.children || !input?.children) return;
    const inside = allFields(input.children).map(({ field }) => field);
    const name = inside.find((field) => field.name === 'name')?.bytes ?? new Uint8Array();
    const type = inside.find((field) => field.name === 'elementType')?.varint ?? 7n;
    const dims = inside.flatMap((field) => (field.name === 'value' ? [field.varint ?? 0n] : []));
    const count = dims.reduce((product, d) => product * Number(d), 1);
    if (!(count <= 64) || (type !== 1n && type !== 6n && type !== 7n)) return;
    const data = Array.from({ length: count }, () => pick([...numbers, 1n, 1n, 2n, 3n]));
    const raw = {
      1: Float32Array.from(data, Number),
      6: Int32Array.from(data, (v) => Number(BigInt.asIntN(32, v))),
      7: BigInt64Array.from(data),
    }[Number(type) as 1 | 6 | 7];
    const field = { message: 'TensorProto', wire: 0 };
    graph.children.push({
      ...{ number: 5, wire: 2, message: 'GraphProto', name: 'initializers' },
      children: [
        ...dims.map((varint) => ({ ...field, number: 1, name: 'dims', varint })),
        { ...field, number: 2, name: 'type', varint: type },
        { ...field, number: 8, wire: 2, name: 'name', bytes: name },
        { ...field, number: 9, wire: 2, name: 'raw', bytes: new Uint8Array(raw.buffer) },
      ],
    });
  },
  /** The graph within a node within the graph, perhaps deeper than anybody can follow. */
  function nest(tree, pick) {
    const graph = tree.find(({ name }) => name === 'graph')?.children ?? [];
    const node = graph.find(({ name }) => name === 'nodes');
    if (!node?.children) return;
    const attribute = (children: Field[]): Field => ({
      ...{ number: 5, wire: 2, message: 'NodeProto', name: 'attributes' },
      children: [
        {
          number: 1,
          wire: 2,
          message: 'AttributeProto',
          name: 'name',
          bytes: utf8.encode(pick(['body', 'then_branch'])),
        },
        { number: 6, wire: 2, message: 'AttributeProto', name: 'graph', children },
        { number: 20, wire: 0, message: 'AttributeProto', name: 'type', varint: 5n },
      ],
    });
    let body = graph.map(copyOf);
    for (let depth = pick([1, 3, 12, 40]); depth > 1; depth--) {
      body = [{ ...node, children: [...(node.children ?? []).map(copyOf), attribute(body)] }];
    }
    node.children.push(attribute(body));
  },
];
