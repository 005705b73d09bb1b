// How much memory the plans of whole networks take for what a run computes on its way, against the bytes that are alive
// at once. Needs no GPU: plans are plain data.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type AdapterProfile, defaultLimits } from '../../src/base/adapter';
import type { Graph } from '../../src/ir/graph';
import { compiler } from '../../src/worker/compiler';
import { networks } from '../bench/cases/networks';
import { describeWithData } from '../support/data';
import { MemorySource } from '../support/memory-source';
import { pathOf, referenceModels } from './list';

const adapters = [true, false].map(
  (software): AdapterProfile => ({
    vendor: 'test',
    architecture: '',
    description: '',
    features: ['subgroups'],
    limits: {
      ...defaultLimits,
      maxStorageBuffersPerShaderStage: 10,
      maxBufferSize: 2 ** 31,
      maxStorageBufferBindingSize: 2 ** 31 - 4,
    },
    software,
  }),
);

/** Slots of every plan in terms of the bytes alive at once. */
const most = 1.15;
/** A few KiB in all, which the alignment of bindings rounds up. */
const negligible = 16_384;

async function memoryOf(
  adapter: AdapterProfile,
  bytes: Uint8Array<ArrayBuffer>,
  inputDims: (graph: Graph, i: number) => readonly number[],
) {
  const signal = new AbortController().signal;
  const read = await compiler.read(new MemorySource(bytes), signal);
  const graph = compiler.adapt(read.graph, adapter, { precision: 'auto', allowPrecisionLoss: true });
  const next = compiler.next(graph, {
    adapter,
    dims: new Map(graph.inputs.map((name, i) => [name, inputDims(graph, i)])),
    dtypes: new Map(),
    known: new Map(),
    overflowing: new Set(),
    border: new Map(),
  });
  return next.kind === 'gpu' ? next.plan.memory : undefined;
}

/** Symbolic sizes are 1. */
function ownDims(graph: Graph, i: number): number[] {
  const dims = graph.values.get(graph.inputs[i] as string)?.dims ?? [];
  return dims.map((d) => (typeof d === 'number' ? d : 1));
}

async function check(bytes: Uint8Array<ArrayBuffer>, inputDims = ownDims) {
  for (const adapter of adapters) {
    const { slotBytes = 0, peakLiveBytes = 0 } = (await memoryOf(adapter, bytes, inputDims)) ?? {};
    const allowed = Math.max(negligible, most * peakLiveBytes);
    expect([adapter.software, slotBytes, slotBytes <= allowed]).toEqual([adapter.software, slotBytes, true]);
  }
}

describe('memory of networks', () => {
  it.each(networks)('$name', async ({ model }) => check(await model()));
});

/** Networks that cannot run on inputs whose symbolic sizes are all 1. */
const needsSizes = /dynamic|silero/;

describeWithData('memory of models', () => {
  it.each(referenceModels.filter(({ name }) => !needsSizes.test(name)))('$name', (model) => {
    const bytes = new Uint8Array(readFileSync(pathOf(model)));
    return check(bytes, (graph, i) => [...(model.draw?.[i] ?? ownDims(graph, i))]);
  });
});
