// A trained model as an ONNX file: the forward pass for inference, with its weights as constants.

import { decode } from '../base/ndarray';
import { GraphBuilder } from '../ir/builder';
import type { Graph } from '../ir/graph';
import { describe, forward } from '../nn/build';
import type { ModelSpec } from '../nn/types';
import { isFloatAttribute } from '../ops/attribute-kinds';
import { inferNode } from '../ops/registry';
import { dropDeadCode } from '../transform/dead-code';
import { writeOnnx } from '../write/onnx';
import { withAnyBatch } from './any-batch';
import { sparseProducts } from './sparse-products';

/**
 * @param weights packed float32 by name
 * @throws UNSUPPORTED_OPERATION where a constant hangs on the batch or an open size, or for what ONNX has no operator for
 */
export function exportOnnx(spec: ModelSpec, weights: ReadonlyMap<string, Uint8Array>): Uint8Array<ArrayBuffer> {
  const { weights: infos, batch } = describe(spec);
  const arrays = infos.map(
    ({ name, dims }) => [name, decode('float32', dims, weights.get(name) as Uint8Array)] as const,
  );
  const build = (batch: number): Graph => {
    const b = new GraphBuilder(spec.name, inferNode);
    const inputs = spec.inputs.map(({ name, dtype, shape }) =>
      b.input(name, dtype, [batch, ...shape.map((size) => size ?? batch)]),
    );
    for (const [name, array] of arrays) b.constant(array, name);
    const { outputs } = forward(spec, b, { inputs, weights: (name) => name, training: false });
    return named(b.finish(outputs), spec.outputs);
  };
  const graph = batch === undefined ? withAnyBatch(build) : dropDeadCode(build(batch));
  return writeOnnx(sparseProducts(graph), { isFloat: isFloatAttribute });
}

/** The graph with its outputs called by these names. */
function named(graph: Graph, names: readonly string[]): Graph {
  const values = new Map(graph.values);
  const nodes = graph.outputs.map((output, i) => {
    const name = names[i] as string;
    values.set(name, { ...(graph.values.get(output) as NonNullable<ReturnType<typeof graph.values.get>>), name });
    return { name: `${name}/output`, op: 'Identity', inputs: [output], outputs: [name], attributes: {} };
  });
  return { ...graph, nodes: [...graph.nodes, ...nodes], values, outputs: names };
}
