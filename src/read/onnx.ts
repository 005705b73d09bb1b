// The bytes of an .onnx file → the Graph that everything behind works on. Streams: weights are skipped
// and referred to by their place, so that a model of any size needs no more memory than its nodes.
// Invariant: what comes out has passed the checker and is written in the newest opset.

import type { ByteSource } from '../base/bytes';
import { subgraphsOf } from '../ir/captures';
import { checkGraph } from '../ir/check';
import type { AttributeValue, Constant, Graph, Node } from '../ir/graph';
import { inlineFunctions } from './functions';
import { readGraph, readNodes, withSubgraphNodes } from './graph';
import { malformed, unsupported } from './malformed';
import { readMessage } from './message';
import { type GraphProto, graphProto, type ModelProto, modelProto } from './proto';
import { refuseOtherFormats } from './recognise';
import { newestName, newestOpset, upgradeGraph } from './upgrade';
import { Window } from './window';
import { Wire } from './wire';

export interface ModelFile {
  readonly graph: Graph;
  /** Who wrote the file: 'pytorch 2.4'. */
  readonly producer: string;
  /** Version of the default operator set that the file was written for. */
  readonly opset: number;
  /** Names of the external data files that hold constants of the graph, relative to the model. */
  readonly files: readonly string[];
  readonly metadata: Readonly<Record<string, string>>;
}

export interface ReadOptions {
  readonly signal?: AbortSignal;
  /**
   * Called as soon as all nodes are known, which in nearly every file is before the weights: what it
   * throws ends the reading. Nodes of subgraphs are in the list, Constant nodes are not; operators have
   * their newest names, but attributes and inputs are still those of the file, and one of a foreign domain
   * may turn out to call a function that the model defines. A file that has nodes behind its weights, against
   * custom, causes a second call with the whole list.
   */
  onNodes?(nodes: readonly Node[]): void;
}

/**
 * @throws INVALID_MODEL, UNSUPPORTED_MODEL, ABORTED, and what the source and `onNodes` throw
 */
export async function readOnnx(source: ByteSource, options: ReadOptions = {}): Promise<ModelFile> {
  const window = new Window(source, options.signal);
  await refuseOtherFormats(window);
  const announcer = new Announcer(options.onNodes);
  const top = modelProto({
    ...graphProto,
    before: (field, graph) => {
      if (field !== nodeField && announcer.calls === 0) announcer.announce(graph);
    },
  });
  const model = await readMessage(new Wire(window), top, window.fileEnd);
  if (!model.graph) {
    throw malformed('The file has no graph: it is no ONNX model, or damaged.', { expected: 'ModelProto.graph' });
  }
  announcer.announce(model.graph);

  const written = readGraph(model.graph);
  const opset = opsetOf(model, withSubgraphNodes(written.nodes));
  const graph = upgradeGraph(inlineFunctions(written, model.functions, opset), opset);
  checkGraph(graph, 'the model');
  return {
    graph,
    producer: `${model.producerName ?? ''} ${model.producerVersion ?? ''}`.trim(),
    opset,
    files: [...externalFiles(graph)],
    metadata: Object.fromEntries(model.metadata.map((e) => [e.key ?? '', e.value ?? ''])),
  };
}

/** GraphProto.node */
const nodeField = 1;

class Announcer {
  calls = 0;
  private announced = 0;

  constructor(private readonly onNodes: ReadOptions['onNodes']) {}

  /** Calls `onNodes` unless it knows as many nodes already. */
  announce(graph: GraphProto): void {
    if (!this.onNodes || graph.nodes.length === this.announced) return;
    this.announced = graph.nodes.length;
    this.calls++;
    const nodes = withSubgraphNodes(readNodes(graph.nodes).nodes);
    this.onNodes(nodes.map((node) => ({ ...node, op: newestName(node.op) })));
  }
}

function opsetOf({ opsets, irVersion = 0 }: ModelProto, nodes: readonly Node[]): number {
  const versions = opsets.filter((o) => !o.domain || o.domain === 'ai.onnx').map((o) => o.version ?? 1);
  if (versions.length > 0) {
    const version = Math.max(...versions);
    if (version >= 1 && version <= newestOpset) return version;
    throw unsupported(
      `The model is written for opset ${version}; Lepton knows opsets 1 to ${newestOpset}. ` +
        `Export it with opset_version ${newestOpset} or lower.`,
      { expected: newestOpset, got: version },
    );
  }
  // The first two versions of the format could not say.
  if (irVersion < 3) return 1;
  const node = nodes.find((n) => !n.op.includes('.'));
  if (!node) return newestOpset;
  throw malformed(`The model does not say which opset its ${node.op} node "${node.name}" is of (opset_import).`);
}

function externalFiles(graph: Graph, files = new Set<string>()): Set<string> {
  const note = (constant: Constant | undefined) => {
    if (constant?.kind === 'stored' && constant.bytes.file !== '') files.add(constant.bytes.file);
  };
  for (const value of graph.values.values()) note(value.constant);
  for (const node of graph.nodes) {
    for (const attribute of Object.values(node.attributes)) note(tensorOf(attribute));
    for (const inner of subgraphsOf(node)) externalFiles(inner, files);
  }
  return files;
}

function tensorOf(attribute: AttributeValue): Constant | undefined {
  return typeof attribute === 'object' && 'tensor' in attribute ? attribute.tensor.constant : undefined;
}
