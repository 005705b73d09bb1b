// The compiler: what turns a model's bytes into Plans, and runs nodes or whole graphs on the host. It is by
// far the larger part of Lepton (all operators and shaders) and is needed only when a model is loaded, so
// the script-tag build fetches it as a file of its own, at the same time as the model.

import type { AdapterProfile } from '../base/adapter';
import type { ByteSource } from '../base/bytes';
import type { NDArray } from '../base/ndarray';
import type { Graph, Node } from '../ir/graph';
import { requireOps } from '../ops/registry';
import { withSubgraphNodes } from '../read/graph';
import { inlineConstants } from '../read/inline-constants';
import { type ModelFile, readOnnx } from '../read/onnx';
import { findPatterns } from '../read/patterns';
import { CpuEngine } from './cpu-engine';
import type { GpuTensors } from './gpu-tensors';
import { type HostNode, hostNodesOf, runNode } from './host';
import type { Engine } from './model';
import { adapt, type NextStage, nextStage, type Precision, type StageRequest } from './next-stage';

export interface Compiler {
  /** Reads a model; one with operators Lepton lacks fails before its weights are needed. */
  read(source: ByteSource, signal: AbortSignal): Promise<ModelFile>;
  /** Looks at the constants, once the files they are in can be read: those whose elements the passes need become inline. */
  lookAtConstants(graph: Graph, fileOf: (name: string) => ByteSource, signal: AbortSignal): Promise<Graph>;
  /** Nodes that run on the host wherever the model runs. */
  hostNodes(graph: Graph): HostNode[];
  /** The graph in the float types that this adapter and the caller's wish make it compute in. */
  adapt(graph: Graph, adapter: AdapterProfile, precision: Precision): Graph;
  /** The next thing that a run of the graph has to do. */
  next(graph: Graph, request: StageRequest): NextStage;
  /** Runs one node on the host. */
  runNode(node: HostNode['node'], inputs: ReadonlyMap<string, NDArray>): Map<string, NDArray>;
  cpuEngine(graph: Graph, files: (name: string) => ByteSource, tensors: GpuTensors): Engine;
}

/** Nodes of other domains may call functions of the model, which are known at its end only. */
const isNoFunction = ({ op }: Node) => !op.includes('.');

export const compiler: Compiler = {
  async read(source, signal) {
    const model = await readOnnx(source, { signal, onNodes: (nodes) => requireOps(nodes.filter(isNoFunction)) });
    requireOps(withSubgraphNodes(model.graph.nodes));
    return model;
  },
  async lookAtConstants(graph, fileOf, signal) {
    return findPatterns(await inlineConstants(graph, fileOf, signal), fileOf, signal);
  },
  hostNodes: hostNodesOf,
  adapt,
  next: nextStage,
  runNode,
  cpuEngine: (graph, files, tensors) => new CpuEngine(graph, files, tensors),
};
