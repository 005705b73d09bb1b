// Runs a model on the host with the operators' references: correct, slow, never taken silently.

import type { ByteSource } from '../base/bytes';
import { packedBytes } from '../base/dtype';
import { LeptonError, throwIfAborted } from '../base/errors';
import { decode, encode, type NDArray } from '../base/ndarray';
import { sizeOf } from '../base/shape';
import { valuesNeeded } from '../ir/captures';
import type { Graph, Node, Value } from '../ir/graph';
import { flowOf } from '../ops/registry';
import { dropDeadCode } from '../transform/dead-code';
import { expand, lastExpansion, requireTensors } from '../transform/expand';
import { inline, inlineArrays } from '../transform/specialise';
import type { CheckedFeed, CheckedFeeds } from './feeds';
import type { GpuTensors } from './gpu-tensors';
import { runNode } from './host';
import { hostImage } from './host-image';
import type { Engine, RunOptions, RunResult } from './model';
import type { Profile, WireTensor } from './protocol';

export class CpuEngine implements Engine {
  readonly memory = undefined;
  readonly hostSteps = [];
  private readonly weights = new Map<string, NDArray>();

  constructor(
    private readonly graph: Graph,
    private readonly files: (name: string) => ByteSource,
    private readonly tensors: GpuTensors,
  ) {}

  async run(feeds: CheckedFeeds, options: RunOptions): Promise<RunResult> {
    if (options.outputs.some((name) => options.onGpu(name))) {
      throw new LeptonError(
        'UNSUPPORTED_OPERATION',
        'The cpu backend has no GPU to leave outputs on: run without { location: "gpu" }.',
      );
    }
    const results = await this.execute(feeds, options.signal, () => {});
    return new Map(
      options.outputs.map((name) => {
        const array = results.get(name) as NDArray;
        const wire: WireTensor = { type: array.dtype, dims: array.dims, bytes: encode(array) };
        return [name, wire];
      }),
    );
  }

  async profile(feeds: CheckedFeeds, signal: AbortSignal): Promise<Profile> {
    const nodes: { node: Node; milliseconds: number; bytes: number }[] = [];
    const start = performance.now();
    await this.execute(feeds, signal, (node, milliseconds, bytes) => nodes.push({ node, milliseconds, bytes }));
    const wallTime = performance.now() - start;
    return {
      nodes: nodes.map(({ node, bytes }) => ({
        name: node.name,
        op: node.op,
        kernel: 'reference',
        gpuTime: undefined,
        flops: 0,
        bytes,
      })),
      adapter: undefined,
      gpuTime: undefined,
      wallTime,
    };
  }

  dispose(): void {
    this.weights.clear();
  }

  private async execute(
    feeds: CheckedFeeds,
    signal: AbortSignal,
    onNode: (node: Node, milliseconds: number, bytes: number) => void,
  ): Promise<Map<string, NDArray>> {
    const graph = dropDeadCode(this.graph);
    const arrays = new Map<string, NDArray>();
    for (const [name, feed] of feeds.feeds) arrays.set(name, await this.feedOf(feed));
    const constants = new Map(graph.values);
    const arrayOf = async (name: string) => arrays.get(name) ?? (await this.constant(constants.get(name) as Value));
    const queue = [...graph.nodes].reverse();
    const readers = countReaders(graph.nodes);
    let expanded = 1 + lastExpansion(graph);
    for (let node = queue.pop(); node; node = queue.pop()) {
      throwIfAborted(signal, 'The run');
      // Gives messages, an abort among them, a turn between operators that may each take seconds.
      await new Promise((resolve) => setTimeout(resolve));
      const values = new Map<string, Value>();
      for (const name of node.inputs) {
        if (name === '') continue;
        const known = constants.get(name);
        values.set(name, known?.members === undefined ? inline(name, await arrayOf(name)) : known);
      }
      const passed = node.op === 'Identity' ? values.get(node.inputs[0] as string) : undefined;
      if (passed?.members !== undefined) {
        constants.set(node.outputs[0] as string, passed);
      } else if (flowOf(node)) {
        const expansion = expand(node, values, expanded++);
        for (const value of expansion.values) {
          constants.set(value.name, value);
          // Whoever may read a member, it has one reader more than nodes.
          for (const member of value.members ?? []) readers.set(member, Number.POSITIVE_INFINITY);
        }
        countReaders(expansion.nodes, readers);
        queue.push(...[...expansion.nodes].reverse());
      } else {
        const start = performance.now();
        const inputs = inlineArrays(node.inputs, values);
        const outputs = runNode(node, inputs);
        for (const [name, array] of outputs) arrays.set(name, array);
        onNode(
          node,
          performance.now() - start,
          bytesOf([...node.inputs.map((name) => inputs.get(name)), ...outputs.values()]),
        );
      }
      for (const name of valuesNeeded(node)) {
        const left = (readers.get(name) ?? 0) - 1;
        readers.set(name, left);
        if (left === 0 && !graph.outputs.includes(name)) arrays.delete(name);
      }
    }
    requireTensors(graph.outputs, constants);
    return new Map(await Promise.all(graph.outputs.map(async (name) => [name, await arrayOf(name)] as const)));
  }

  private async constant(value: Value): Promise<NDArray> {
    const { constant, name } = value;
    if (constant?.kind === 'inline') return constant.array;
    const known = this.weights.get(name);
    if (known) return known;
    if (!constant) throw new Error(`Value "${name}" is neither computed nor constant.`);
    const { file, offset, length } = constant.bytes;
    const array = decode(value.dtype, value.dims as readonly number[], await this.files(file).read(offset, length));
    this.weights.set(name, array);
    return array;
  }

  private async feedOf({ feed, dims }: CheckedFeed): Promise<NDArray> {
    if ('bitmap' in feed) return hostImage(feed, dims);
    const { type, bytes } = 'bytes' in feed ? feed : await this.tensors.read(feed.gpu);
    const expected = packedBytes(type, sizeOf(dims));
    return decode(type, dims, bytes.subarray(0, expected));
  }
}

function countReaders(nodes: readonly Node[], readers = new Map<string, number>()): Map<string, number> {
  for (const name of nodes.flatMap(valuesNeeded)) readers.set(name, (readers.get(name) ?? 0) + 1);
  return readers;
}

function bytesOf(arrays: readonly (NDArray | undefined)[]): number {
  return arrays.reduce((sum, a) => sum + (a ? packedBytes(a.dtype, a.data.length) : 0), 0);
}
