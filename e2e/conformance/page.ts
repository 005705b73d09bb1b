// The page's side of the conformance run: loads each case's model with the public API, feeds it, compares.
// A batch ends early once it has taken its time or the GPU is no longer to be trusted; what was not run is
// simply not answered.

import { LeptonError, load, type Profile, Tensor } from '../../src/api';
import { arrayConstructor } from '../../src/api/typed-arrays';
import { readTensorFile } from '../support/tensor-file';
import type { DataSet } from './cases';
import { disagreement } from './compare';

export interface PageCase {
  readonly name: string;
  /** Address of the case's folder. */
  readonly url: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly dataSets: readonly DataSet[];
  readonly random: boolean;
}

export interface Batch {
  readonly cases: readonly PageCase[];
  /** Whether to find out what runs on the host, which takes further runs. */
  readonly profile: boolean;
  /** Milliseconds after which no further case is begun. */
  readonly time: number;
  /** Milliseconds that one case may take. */
  readonly caseTime: number;
}

export interface PageResult {
  readonly name: string;
  readonly verdict: 'pass' | 'pass (shape)' | 'wrong' | 'error';
  /** What was wrong, or the error's code and message. */
  readonly detail: string;
  /** 'operator: reason' of what ran on the host, where asked for. */
  readonly hostSteps: readonly string[];
  readonly milliseconds: number;
}

export interface BatchReport {
  readonly results: readonly PageResult[];
  /** The page must not be used again: a case hung or the device was lost. */
  readonly broken: boolean;
}

export async function runBatch({ cases, profile, time, caseTime }: Batch): Promise<BatchReport> {
  const start = performance.now();
  const results: PageResult[] = [];
  for (const c of cases) {
    const begun = performance.now();
    const outcome = await Promise.race([runCase(c, profile), timeout(caseTime)]).catch(failure);
    results.push({ name: c.name, ...outcome, milliseconds: Math.round(performance.now() - begun) });
    if (outcome.verdict === 'error' && /^(TIMEOUT|DEVICE_LOST|WORKER_FAILED)/.test(outcome.detail)) {
      return { results, broken: true };
    }
    if (performance.now() - start > time) break;
  }
  return { results, broken: false };
}

type Outcome = Pick<PageResult, 'verdict' | 'detail' | 'hostSteps'>;

const options = { backend: 'webgpu', cache: false, allowPrecisionLoss: true } as const;

async function runCase({ url, inputs, outputs, dataSets, random }: PageCase, profile: boolean): Promise<Outcome> {
  const bytes = await fetchBytes(`${url}/model.onnx`);
  const model = await load(bytes, options);
  const hostSteps: string[] = [];
  try {
    for (const set of dataSets) {
      const [fed, wanted] = await Promise.all(
        [set.inputs, set.outputs].map((files) =>
          Promise.all(files.map(async (file) => readTensorFile(await fetchBytes(`${url}/${file}`)))),
        ),
      );
      const feeds = (fed ?? []).map(({ dtype, dims, bytes }, i) => [
        inputs[i],
        new Tensor(dtype, new (arrayConstructor(dtype))(bytes.buffer), dims),
      ]);
      const results = await model.run(Object.fromEntries(feeds));
      if (profile) hostSteps.push(...hostNodes(await model.profile(Object.fromEntries(feeds))));
      for (const [i, want] of (wanted ?? []).entries()) {
        const name = outputs[i] as string;
        const got = results[name];
        const problem = disagreement(got && elementsOf(got), want, random);
        if (problem !== undefined) return { verdict: 'wrong', detail: `"${name}" ${problem}`, hostSteps };
      }
    }
  } finally {
    await model.dispose();
  }
  return { verdict: random ? 'pass (shape)' : 'pass', detail: '', hostSteps };
}

function hostNodes({ nodes }: Profile): string[] {
  return nodes.flatMap(({ op, kernel, reason }) => (kernel === 'host' ? [`${op}: ${reason}`] : []));
}

function elementsOf({ type, dims, data }: Tensor) {
  return { dtype: type, dims, bytes: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) };
}

async function fetchBytes(url: string): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} answered ${response.status}.`);
  return new Uint8Array(await response.arrayBuffer());
}

function timeout(milliseconds: number): Promise<Outcome> {
  const outcome = { verdict: 'error', detail: `TIMEOUT: more than ${milliseconds} ms`, hostSteps: [] } as const;
  return new Promise((resolve) => setTimeout(resolve, milliseconds, outcome));
}

function failure(error: unknown): Outcome {
  const { name, message } = error as Error;
  return { verdict: 'error', detail: `${error instanceof LeptonError ? error.code : name}: ${message}`, hostSteps: [] };
}
