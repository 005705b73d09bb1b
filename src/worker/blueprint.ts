// A model as an engine needs it: what callers can know of it, and the way to its graph. The graph of a model whose
// plans are in the store is read only when something must be planned that is not there.

import { LeptonError } from '../base/errors';
import type { TensorInfo } from '../base/model-info';
import type { Graph } from '../ir/graph';
import type { Compiler } from './compiler';
import type { HostStep } from './protocol';
import type { Evaluated } from './stage';

/** What is known of a model without its graph: plain data, for the store. */
export interface ModelSummary {
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
  /** Files of external data, by the names that the model has for them. */
  readonly files: readonly string[];
  /** Nodes that run on the host wherever the model runs. */
  readonly hostSteps: readonly HostStep[];
}

export interface ReadModel {
  readonly compiler: Compiler;
  readonly graph: Graph;
}

export interface Blueprint extends ModelSummary {
  /** Gets the compiler and reads the model, once. */
  read(): Promise<ReadModel>;
}

/**
 * @param files of external data
 * @throws UNSUPPORTED_MODEL where the model says nothing of an input's shape, not even its rank
 */
export function blueprintOf(model: ReadModel, files: readonly string[]): Blueprint {
  const { compiler, graph } = model;
  return {
    inputs: graph.inputs.map((name) => inputInfo(graph, name)),
    outputs: graph.outputs.map((name) => infoOf(graph, name)),
    files,
    hostSteps: compiler.hostNodes(graph).map(hostStepOf),
    read: async () => model,
  };
}

/** @param read may fail and be called again: a network may come back */
export function lazyBlueprint(summary: ModelSummary, read: () => Promise<ReadModel>): Blueprint {
  let reading: Promise<ReadModel> | undefined;
  return {
    ...summary,
    read() {
      reading ??= read();
      reading.catch(() => {
        reading = undefined;
      });
      return reading;
    },
  };
}

export function hostStepOf({ node: { name: full, op }, reason }: Evaluated): HostStep {
  // In a body that was written out the node has the name of its iteration in front.
  return { name: full.replace(/^.*@\d+\/(\d+\/)?/s, ''), op, reason };
}

function inputInfo(graph: Graph, name: string): TensorInfo {
  if (graph.values.get(name)?.dims) return infoOf(graph, name);
  throw new LeptonError(
    'UNSUPPORTED_MODEL',
    `The model declares no shape for its input "${name}"; export it with one.`,
    {
      details: { name },
    },
  );
}

function infoOf(graph: Graph, name: string): TensorInfo {
  const value = graph.values.get(name);
  return { name, type: value?.dtype ?? 'float32', shape: value?.dims ?? [] };
}
