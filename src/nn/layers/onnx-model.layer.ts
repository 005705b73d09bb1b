// OnnxModel: an imported model, or its beginning, as a layer. Axes are as the model has them: images are [channels, height,
// width] mostly. Its normalisations keep the statistics that the file came with. With `lora` the weights stay, and every
// MatMul and Gemm learns a difference of low rank instead: https://arxiv.org/abs/2106.09685

import { number, type Option, optional, whole } from '../../base/options';
import type { Node } from '../../ir/graph';
import { specialise } from '../../transform/specialise';
import { type Imported, type ImportedWeight, importedOf } from '../imported';
import { type Call, defineLayer, type Sized } from '../layer';
import { Tensor } from '../tensor';

const graph: Option<string> = (value, fail) => (typeof value === 'string' ? value : fail('what loadLayer() makes'));

const options = { graph, loraRank: optional(whole(1)), loraAlpha: number(16) };
type Options = typeof options;

/** Models are large to read, and every use of a layer asks for its own. */
const read = new Map<string, Imported>();
const mostRead = 4;

function importedBy({ config }: Sized<Options>): Imported {
  let imported = read.get(config.graph);
  if (!imported) {
    imported = importedOf(config.graph);
    if (read.size >= mostRead) read.delete(read.keys().next().value as string);
    read.set(config.graph, imported);
  }
  return imported;
}

/** Products with a weight matrix, which adapters can stand beside, by their result. */
function adapted({ graph, weights }: Imported): Map<string, { weight: ImportedWeight; sizes: [number, number] }> {
  const byValue = new Map(weights.map((weight) => [weight.value, weight]));
  return new Map(
    graph.nodes.flatMap((node) => {
      const weight = byValue.get(node.inputs[1] ?? '');
      if (weight?.dims.length !== 2) return [];
      const [rows, columns] = weight.dims as [number, number];
      const { transA = 0, transB = 0 } = node.attributes;
      const [result] = node.outputs as [string];
      if (node.op === 'MatMul') return [[result, { weight, sizes: [rows, columns] }] as const];
      if (node.op !== 'Gemm' || transA !== 0) return [];
      return [[result, { weight, sizes: transB === 0 ? [rows, columns] : [columns, rows] }] as const];
    }),
  );
}

export default defineLayer({
  className: 'OnnxModel',
  options,
  arity: [1, Number.POSITIVE_INFINITY],
  integers: true,
  weights(layer) {
    const imported = importedBy(layer);
    const { loraRank: rank } = layer.config;
    const own = imported.weights.map(({ name, dims, trainable }) => ({
      ...{ name, dims, initializer: { name: 'zeros' } },
      trainable: trainable && rank === undefined,
    }));
    if (rank === undefined) return own;
    // A weight that several products share has one.
    const each = new Map([...adapted(imported).values()].map((adapter) => [adapter.weight.name, adapter]));
    const adapters = [...each.values()].flatMap(({ weight, sizes: [input, output] }) => [
      { name: `${weight.name}.lora_a`, dims: [input, rank], initializer: { name: 'heUniform' } },
      { name: `${weight.name}.lora_b`, dims: [rank, output], initializer: { name: 'zeros' } },
    ]);
    if (adapters.length === 0) layer.fail('has no MatMul or Gemm with a weight that LoRA could stand beside');
    return [...own, ...adapters];
  },
  outputShape(layer) {
    const { inputs, outputShape } = importedBy(layer);
    if (layer.shapes.length !== inputs.length) layer.fail(`takes ${inputs.length} inputs`);
    inputs.forEach(({ name, shape }, i) => {
      const given = layer.shapes[i]?.slice(1) ?? [];
      const fits = given.length === shape.length && shape.every((size, k) => size === null || size === given[k]);
      if (!fits) layer.fail(`needs [${['batch', ...shape.map((s) => s ?? 'any')].join(', ')}] as its input "${name}"`);
    });
    return [null, ...outputShape];
  },
  call(layer) {
    const imported = importedBy(layer);
    const { graph, weights } = imported;
    const inputs = layer.inputs.map((input) => input.plain());
    const types = [...inputs, ...weights.map(({ name }) => layer.weight(name))].map((name) => layer.b.type(name));
    const values = new Map(graph.values);
    graph.inputs.forEach((name, i) => {
      values.set(name, { name, ...(types[i] as (typeof types)[number]) });
    });
    const adapters: ReturnType<typeof adapted> = layer.config.loraRank === undefined ? new Map() : adapted(imported);
    const concrete = specialise({ ...graph, values }, new Map());
    const names = new Map<string, string>(graph.inputs.map((name, i) => [name, inputs[i] ?? '']));
    for (const { name, value } of weights) names.set(value, layer.weight(name));
    const nameOf = (name: string) => {
      const known = names.get(name);
      if (known !== undefined || name === '') return known ?? '';
      const constant = concrete.values.get(name)?.constant;
      if (constant?.kind !== 'inline') throw new Error(`Nothing computes "${name}".`);
      const made = layer.b.constant(constant.array);
      names.set(name, made);
      return made;
    };
    for (const node of concrete.nodes) {
      const count = node.outputs.findLastIndex((name) => name !== '') + 1;
      const made = layer.b.add(node.op, node.inputs.map(nameOf), { ...node.attributes }, count);
      const adapter = adapters.get(node.outputs[0] as string);
      node.outputs.forEach((name, i) => {
        const result = made[i] as string;
        if (name !== '')
          names.set(name, adapter && i === 0 ? withAdapter(layer, node, result, adapter, nameOf) : result);
      });
    }
    return Tensor.plain(layer.b, nameOf(graph.outputs[0] as string));
  },
});

/** result + (alpha / rank) · x · A · B */
function withAdapter(
  layer: Call<Options>,
  node: Node,
  result: string,
  { weight }: { weight: ImportedWeight },
  nameOf: (name: string) => string,
): string {
  const { f, config } = layer;
  const low = f.node('MatMul', [nameOf(node.inputs[0] as string), layer.weight(`${weight.name}.lora_a`)]);
  const difference = f.node('MatMul', [low, layer.weight(`${weight.name}.lora_b`)]);
  return f.add(result, f.mul(difference, config.loraAlpha / (config.loraRank ?? 1)));
}
