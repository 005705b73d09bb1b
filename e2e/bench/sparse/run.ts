// Times a shape with dense weights and with all its sparse ones: a page of Lepton for each, and every peer on the same
// adapter with the dense weights, which is what peers make of sparse ones too. All take turns within a round; after
// that Lepton's kernels alone do.

import type { TestServer } from '../../support/server';
import { putCase } from '../case-files';
import type { BenchCase } from '../cases';
import type { Prepared } from '../pages/runtime';
import { isTimed, type Result, type RuntimeName } from '../results';
import { timeRounds } from '../run-cases';
import type { RuntimePage } from '../runtime-page';
import { summarise } from '../statistics';
import { resultKernel } from './kernel-name';
import type { KernelTimes } from './kernels';
import { percent, type SparseShape } from './shape';

export interface SparseResult {
  /** Rows × columns of the weights × columns of the other factor; or what convolution. */
  readonly shape: string;
  /** Of the weights as float32. Older results lack it. */
  readonly denseBytes?: number;
  readonly dense: Dense;
  readonly levels: readonly LevelResult[];
}

export interface Dense {
  readonly lepton: Measured;
  readonly peers: Partial<Record<RuntimeName, Result>>;
}

export interface LevelResult extends Measured {
  readonly structure: string;
  readonly zeros: number;
}

export interface Measured {
  readonly result: Result;
  /** What computes the product. */
  readonly kernel?: string;
  /** Milliseconds of that alone: of its dispatches, repeated within a pass. */
  readonly kernelTime?: number;
  /** Of GPU memory. */
  readonly weightBytes?: number;
}

export interface SparseArena {
  /** A page of Lepton for the `i`-th kind of weights of a shape. */
  leptonPage(i: number): RuntimePage;
  readonly peers: readonly RuntimePage[];
  timeKernels(folders: readonly string[]): Promise<KernelTimes>;
  readonly server: TestServer;
  readonly rounds: number;
}

interface Contestant {
  readonly page: RuntimePage;
  readonly folder: string;
  prepared?: Prepared;
  problem?: string;
}

export async function runSparse(shapes: readonly SparseShape[], arena: SparseArena): Promise<SparseResult[]> {
  const done: SparseResult[] = [];
  for (const shape of shapes) {
    done.push(await runShape(shape, arena));
    process.stderr.write(`${done.length} of ${shapes.length}, ${described(done.at(-1) as SparseResult)}\n`);
  }
  return done;
}

async function runShape({ name, denseBytes, dense, levels }: SparseShape, arena: SparseArena): Promise<SparseResult> {
  const { server, peers, rounds } = arena;
  const paths: string[] = [];
  const put = async (test: BenchCase, i: number): Promise<string> => {
    const folder = `/sparse/${name.replace(/[^a-z0-9]+/gi, '-')}/${i}`;
    const headers = { 'Cache-Control': 'no-store' };
    const file = (path: string, bytes: Uint8Array) => server.put(path, { bytes, headers });
    paths.push(...(await putCase(folder, test, file, { forTfjs: i === 0 })));
    return folder;
  };
  const folders: string[] = [];
  for (const [i, test] of [dense, ...levels.map((level) => level.test)].entries()) folders.push(await put(test, i));
  const own = folders.map((folder, i): Contestant => ({ page: arena.leptonPage(i), folder }));
  const others = peers.map((page): Contestant => ({ page, folder: folders[0] as string }));
  const all = [...own, ...others];
  for (const contestant of all) {
    contestant.prepared = await contestant.page.prepare(contestant.folder);
    if (contestant.prepared.problem !== undefined) await fail(contestant, contestant.prepared.problem);
  }
  const byPage = new Map(all.map((contestant) => [contestant.page, contestant]));
  const times = await timeRounds(
    all.filter(({ problem }) => problem === undefined).map(({ page }) => page),
    { rounds, fewest: rounds },
    (page, problem) => fail(byPage.get(page) as Contestant, problem),
  );
  const measured = new Map<Contestant, Measured>();
  for (const contestant of all) measured.set(contestant, await measuredOf(contestant, times.get(contestant.page)));
  const kernels = await arena.timeKernels(folders);
  if ('problem' in kernels) process.stderr.write(`no times of kernels: ${kernels.problem}\n`);
  for (const path of paths) server.put(path, { bytes: new Uint8Array() });
  const [first, ...rest] = own.map((contestant, i): Measured => {
    const kernelTime = 'problem' in kernels ? undefined : kernels[i];
    return { ...(measured.get(contestant) as Measured), ...(kernelTime !== undefined && { kernelTime }) };
  });
  return {
    shape: name,
    denseBytes,
    dense: {
      lepton: first as Measured,
      peers: Object.fromEntries(others.map((c) => [c.page.name, (measured.get(c) as Measured).result])),
    },
    levels: levels.map(({ structure, zeros }, i) => ({ structure, zeros, ...(rest[i] as Measured) })),
  };
}

async function fail(contestant: Contestant, problem: string): Promise<void> {
  contestant.problem = problem;
  await contestant.page.close();
}

async function measuredOf(contestant: Contestant, times: readonly number[] | undefined): Promise<Measured> {
  const { page, prepared } = contestant;
  if (contestant.problem !== undefined || !times) return { result: { problem: contestant.problem ?? 'was not timed' } };
  const { problem, error = 0 } = await page.verify();
  await page.dispose();
  if (problem !== undefined) return { result: { problem } };
  const kernel = resultKernel(prepared?.kernels ?? []);
  return {
    result: { ...summarise(times), error: Math.max(error, prepared?.error ?? 0) },
    ...(kernel && { kernel }),
    ...(prepared?.memory && { weightBytes: prepared.memory.weightBytes }),
  };
}

function described({ shape, dense, levels }: SparseResult): string {
  const own = dense.lepton.result;
  const times = levels.map(({ structure, zeros, result, kernelTime }) => {
    const factor = isTimed(own) && isTimed(result) ? `${(own.median / result.median).toFixed(2)}×` : 'failed';
    const alone = kernelTime && dense.lepton.kernelTime && (dense.lepton.kernelTime / kernelTime).toFixed(2);
    return `${structure} ${percent(zeros)} ${factor}${alone ? ` (kernels ${alone}×)` : ''}`;
  });
  return `${shape}: dense ${isTimed(own) ? own.median.toFixed(2) : 'failed'} ms; ${times.join(', ')}`;
}
