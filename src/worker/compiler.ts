// The compiler: what turns a model's bytes into a Plan, or runs its graph on the host. It is by far the
// larger part of Lepton (all operators and shaders) and is needed only when a model is loaded, so the
// script-tag build fetches it as a file of its own, at the same time as the model.

import type { AdapterProfile } from '../base/adapter';
import type { ByteSource } from '../base/bytes';
import type { DType } from '../base/dtype';
import type { Graph } from '../ir/graph';
import { requireOps } from '../ops/registry';
import { makePlan } from '../plan/make-plan';
import type { Plan } from '../plan/plan';
import { inlineExternal } from '../read/inline-external';
import { type ModelFile, readOnnx } from '../read/onnx';
import { optimise } from '../transform/optimise';
import { CpuEngine } from './cpu-engine';
import type { GpuTensors } from './gpu-tensors';
import type { Engine } from './model';

export interface PlanRequest {
  readonly adapter: AdapterProfile;
  /** Size of every symbolic dimension. */
  readonly sizes: ReadonlyMap<string, number>;
  /** Float type to compute in; 'auto' is the model's own. */
  readonly precision: 'auto' | 'float32' | 'float16';
  /** Types of inputs and outputs as callers see them. */
  readonly border: ReadonlyMap<string, DType>;
}

export interface Compiler {
  /** Reads a model; one with operators Lepton lacks fails before its weights are needed. */
  read(source: ByteSource, signal: AbortSignal): Promise<ModelFile>;
  /** Takes small constants out of the model's external files, once those can be read. */
  inlineExternal(graph: Graph, fileOf: (name: string) => ByteSource, signal: AbortSignal): Promise<Graph>;
  plan(graph: Graph, request: PlanRequest): Plan;
  cpuEngine(graph: Graph, files: (name: string) => ByteSource, tensors: GpuTensors): Engine;
}

export const compiler: Compiler = {
  read: (source, signal) => readOnnx(source, { signal, onNodes: (nodes) => requireOps(nodes) }),
  inlineExternal,
  plan: (graph, { adapter, sizes, precision, border }) =>
    makePlan(optimise(graph, { adapter, sizes, precision }), { adapter, border }),
  cpuEngine: (graph, files, tensors) => new CpuEngine(graph, files, tensors),
};
