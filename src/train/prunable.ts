// Which weights of a model under training can be pruned, each as a matrix of outputs by inputs: the kernels of layers, and in
// imported models, whose weights have any names, what MatMul, Gemm and Conv nodes take as theirs.

import { ndarray } from '../base/ndarray';
import { sizeOf } from '../base/shape';
import { foldMovement } from '../compress/constants';
import { findLayers, type Layer, type MatrixView, noMatrix } from '../compress/layers';
import type { Graph, Value } from '../ir/graph';
import { describe } from '../nn/build';
import { type ImportedWeight, importedOf } from '../nn/imported';
import type { LayerSpec, ModelSpec, WeightInfo } from '../nn/types';
import { inline } from '../transform/specialise';

export interface Candidate {
  /** 'layer/weight'. */
  readonly name: string;
  readonly layer: string;
  /** As its node takes it, which `view` is of. */
  readonly dims: readonly number[];
  readonly view: MatrixView;
  /** Where each of these elements is in the weight, from 1; 0 where it is not. Undefined where they are the weight as it is. */
  readonly places?: Int32Array;
  /** Why it stays as it is. */
  readonly left?: string;
}

const depthwise = 'depthwise convolutions have few weights and need them all';

/** In the order of the model, with those that stay. */
export function candidatesOf(spec: ModelSpec): Candidate[] {
  const { weights } = describe(spec);
  return spec.layers.flatMap((layer) => {
    const own = weights.filter((weight) => weight.layer === layer.name);
    const { className, config } = contentOf(layer);
    const found = className === 'OnnxModel' ? inModel(layer.name, config.graph as string) : kernels(className, own);
    const frozen = new Set(own.filter(({ trainable }) => !trainable).map(({ name }) => name));
    return found.map((weight) => (frozen.has(weight.name) ? { ...weight, left: 'it does not learn' } : weight));
  });
}

function contentOf({ className, config }: LayerSpec): Pick<LayerSpec, 'className' | 'config'> {
  return className === 'TimeDistributed' ? (config.layer as unknown as LayerSpec) : { className, config };
}

function kernels(className: string, weights: readonly WeightInfo[]): Candidate[] {
  const left = className.startsWith('Depthwise') && { left: depthwise };
  return weights.flatMap(({ name, layer, dims }) => {
    if (dims.length < 2 || !/kernel$/i.test(name)) return [];
    const rows = dims.at(-1) as number;
    const view = { rows, columns: sizeOf(dims) / rows, rowStride: 1, columnStride: rows };
    return [{ name, layer, dims, view, ...left }];
  });
}

function inModel(layer: string, text: string): Candidate[] {
  const { graph, weights } = importedOf(text);
  const { moved, sourceOf } = withPlaces(graph, weights);
  const used = new Set([...moved.outputs, ...moved.nodes.flatMap(({ inputs }) => inputs)]);
  const found = new Map(findLayers(moved, noFile, []).map((own) => [sourceOf(own.weight), own]));
  return weights.flatMap(({ name: own, value, dims }): Candidate[] => {
    const name = `${layer}/${own}`;
    const as = found.get(value);
    if (!as) {
      return dims.length < 2
        ? []
        : [{ name, layer, dims, view: noMatrix.view, left: 'no MatMul, Gemm or Conv takes it' }];
    }
    const forms = [...used].filter((form) => sourceOf(form) === value).length;
    const left = forms > 1 ? 'nodes take it in several forms' : (as.left ?? (isDepthwise(as) ? depthwise : undefined));
    const constant = as.weight === value ? undefined : moved.values.get(as.weight)?.constant;
    return [
      {
        ...{ name, layer, dims: as.dims, view: as.view },
        ...(constant?.kind === 'inline' && { places: constant.array.data as Int32Array }),
        ...(left !== undefined && { left }),
      },
    ];
  });
}

const noFile = (): never => {
  throw new Error('A constant of an imported model is in a file.');
};

const isDepthwise = ({ nodes, dims }: Layer) =>
  nodes.some(({ op, attributes: { group = 1 } }) => op === 'Conv' && group !== 1 && dims[1] === 1);

/**
 * The graph with its weights as constants that stand where nodes take them, behind every Reshape and Transpose, and that
 * have places for elements: whatever moves the weights moves these alike.
 */
function withPlaces(graph: Graph, weights: readonly ImportedWeight[]) {
  const values = new Map(graph.values);
  for (const { value, dims } of weights) {
    const places = Int32Array.from({ length: sizeOf(dims) }, (_, i) => i + 1);
    values.set(value, inline(value, ndarray('int32', dims, places)));
  }
  const own = new Set(weights.map(({ value }) => value));
  const inputs = graph.inputs.filter((name) => !own.has(name));
  const folded = foldMovement({ ...graph, values, inputs }, noFile);
  const makers = new Map(graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
  const origin = (name: string): string => {
    const maker = makers.get(name);
    return maker ? origin(maker.inputs[0] as string) : name;
  };
  /** The weight that a constant was before it was moved; for others a name that no weight has. */
  const sourceOf = (name: string) => (folded.values.get(name)?.constant ? origin(name) : name);
  // What has these places is float32.
  const typed = [...folded.values].map(([name, value]): [string, Value] => {
    return [name, own.has(sourceOf(name)) ? { ...value, dtype: 'float32' } : value];
  });
  return { moved: { ...folded, values: new Map(typed) }, sourceOf };
}
