// Checks of one staged model, and of one that runs at many lengths; in Node or in a page.

import { type NDArray, ndarray } from '../../src/base/ndarray';
import { compare } from '../ops/harness';
import { openOnGpu, openOnHost } from '../support/engines';
import { stagedModels } from './models';
import { sequenceModel } from './sequence-model';

export interface StagedReport {
  /** What disagrees with the cpu backend; empty when all is well. */
  readonly failures: string[];
  /** Operators that ran on the host, from the profile and from the engine's own list, each with its reason. */
  readonly profiled: { op: string; reason: string | undefined }[];
  readonly listed: { op: string; reason: string }[];
}

export async function checkStaged(gpu: GPU, name: string): Promise<StagedReport> {
  const { model, runs } = stagedModels.find((m) => m.name === name) as (typeof stagedModels)[number];
  const [opened, host] = await Promise.all([openOnGpu(gpu, model), openOnHost(model)]);
  try {
    const failures: string[] = [];
    for (const [i, inputs] of runs.entries()) {
      const got = await opened.run(inputs);
      const want = await host.run(inputs);
      for (const output of opened.graph.outputs) {
        const problem = disagreement(got[output], want[output]);
        if (problem) failures.push(`run ${i}, ${output}: ${problem}`);
      }
    }
    const { nodes } = await opened.profile(runs[0] ?? {});
    return {
      failures,
      // A loop may do a step many times.
      profiled: unique(nodes.filter((n) => n.kernel === 'host')).map(({ op, reason }) => ({ op, reason })),
      listed: opened.engine.hostSteps.map(({ op, reason }) => ({ op, reason })),
    };
  } finally {
    await opened.dispose();
  }
}

export interface LengthsReport {
  readonly failures: string[];
  /** Pipelines compiled after each run, and bytes of the model read until then. */
  readonly pipelines: number[];
  readonly bytesRead: number[];
}

/** Runs a small encoder at `lengths`; every tenth answer is compared with the cpu backend's. */
export async function checkLengths(gpu: GPU, lengths: readonly number[]): Promise<LengthsReport> {
  let compiled = 0;
  const { prototype } = GPUDevice;
  const original = prototype.createComputePipelineAsync;
  prototype.createComputePipelineAsync = function (...args) {
    compiled++;
    return original.apply(this, args);
  };
  const report: LengthsReport = { failures: [], pipelines: [], bytesRead: [] };
  const [opened, host] = await Promise.all([openOnGpu(gpu, sequenceModel()), openOnHost(sequenceModel())]);
  try {
    for (const [i, length] of lengths.entries()) {
      const ids = ndarray(
        'int64',
        [1, length],
        Array.from({ length }, (_, k) => (k * 7 + i) % 50),
      );
      const { y } = await opened.run({ ids });
      if (i % 10 === 0) {
        const problem = disagreement(y, (await host.run({ ids })).y);
        if (problem) report.failures.push(`length ${length}: ${problem}`);
      }
      report.pipelines.push(compiled);
      report.bytesRead.push(opened.source.bytesRead);
    }
  } finally {
    prototype.createComputePipelineAsync = original;
    await opened.dispose();
  }
  return report;
}

function unique<T extends { op: string }>(steps: readonly T[]): T[] {
  return steps.filter(({ op }, i) => steps.findIndex((step) => step.op === op) === i);
}

function disagreement(got: NDArray | undefined, want: NDArray | undefined): string | undefined {
  if (!got || !want) return 'is missing';
  if (`${got.dims}` !== `${want.dims}`) return `has the shape [${got.dims}] instead of [${want.dims}]`;
  return compare(got, want, 1e-4);
}
