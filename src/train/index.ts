// Training, as the worker asks for it: everything between a model's description and the plans of its steps.

import type { Graph } from '../ir/graph';
import { describe } from '../nn/build';
import { initialise } from '../nn/initializers';
import type { CompileSpec, ModelDescription, ModelSpec, WeightInfo } from '../nn/types';
import type { Plan } from '../plan/plan';
import { culpritGraph } from './culprit';
import { exportOnnx } from './export';
import { type ImportedLayer, type ImportRequest, importLayer } from './import';
import { planOf, planStep, type StepPlan, type Target } from './plan';
import { pruneWeights } from './prune';
import { type StepRequest, stateOf } from './step';
import type { StateSpec } from './updates';

export interface TrainingCompiler {
  /** @throws INVALID_ARGUMENT where layers do not fit each other */
  describe(spec: ModelSpec): ModelDescription;
  initialise(weight: WeightInfo, seed: number): Float32Array;
  /** Without `compile` the weights alone. */
  state(spec: ModelSpec, compile: CompileSpec | undefined): readonly StateSpec[];
  plan(request: StepRequest, target: Target): StepPlan;
  /** Makes a layer of an ONNX model, or of its beginning. */
  importLayer(model: Graph, request: ImportRequest): Promise<ImportedLayer>;
  prune: typeof pruneWeights;
  /** The model for inference. @param weights packed float32 by name */
  onnx(spec: ModelSpec, weights: ReadonlyMap<string, Uint8Array>): Uint8Array<ArrayBuffer>;
  /** A plan whose report says of each of these nodes whether it gave something that is not finite. */
  culprits(
    request: StepRequest,
    target: Target,
  ): { readonly plan: Plan; readonly nodes: readonly { readonly op: string; readonly name: string }[] };
}

export const training: TrainingCompiler = {
  describe,
  initialise,
  state: stateOf,
  plan: planStep,
  prune: pruneWeights,
  onnx: exportOnnx,
  importLayer,
  culprits(request, target) {
    const { step, nodes } = culpritGraph(request);
    return { plan: planOf(step, target), nodes };
  },
};
