// Runs a model on the host with the operators' references: correct, slow, never taken silently.

import type { ByteSource } from '../base/bytes';
import { byteSize } from '../base/dtype';
import { LeptonError, throwIfAborted } from '../base/errors';
import { decode, encode, type NDArray } from '../base/ndarray';
import { sizeOf } from '../base/shape';
import { type Graph, type Node, type Value, valuesRead } from '../ir/graph';
import { opOf, viewNode } from '../ops/registry';
import { dropDeadCode } from '../transform/dead-code';
import { specialise } from '../transform/specialise';
import type { CheckedFeed, CheckedFeeds } from './feeds';
import type { GpuTensors } from './gpu-tensors';
import { hostImage } from './host-image';
import type { Engine, RunOptions, RunResult } from './model';
import type { Profile, WireTensor } from './protocol';

export class CpuEngine implements Engine {
  readonly memory = undefined;
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
    const graph = dropDeadCode(specialise(this.graph, feeds.sizes));
    const arrays = new Map<string, NDArray>();
    for (const [name, feed] of feeds.feeds) arrays.set(name, await this.feedOf(feed));
    const arrayOf = async (name: string) => arrays.get(name) ?? (await this.constant(graph.values.get(name) as Value));
    const lastReader = new Map(graph.nodes.flatMap((node) => valuesRead(node).map((name) => [name, node] as const)));
    for (const node of graph.nodes) {
      throwIfAborted(signal, 'The run');
      // Gives messages, an abort among them, a turn between operators that may each take seconds.
      await new Promise((resolve) => setTimeout(resolve));
      const inputs = await Promise.all(node.inputs.map((name) => (name === '' ? undefined : arrayOf(name))));
      const start = performance.now();
      const outputs = opOf(node).reference(viewNode(node, graph.values), inputs);
      node.outputs.forEach((name, i) => {
        if (name !== '') arrays.set(name, outputs[i] as NDArray);
      });
      const bytes = [...inputs, ...outputs].reduce((sum, a) => sum + (a ? a.data.length * byteSize(a.dtype) : 0), 0);
      onNode(node, performance.now() - start, bytes);
      for (const name of valuesRead(node)) {
        if (lastReader.get(name) === node && !graph.outputs.includes(name)) arrays.delete(name);
      }
    }
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
    const expected = sizeOf(dims) * byteSize(type);
    return decode(type, dims, bytes.subarray(0, expected));
  }
}
