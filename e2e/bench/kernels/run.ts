// The kernel benchmark itself: peaks of the adapter, then case by case, then sparse weights; prints tables, writes JSON.

import { existsSync, writeFileSync } from 'node:fs';
import { root } from '../../../.ci/command';
import { sharedDataFolder } from '../../../.ci/shared-data';
import { openDevice } from '../../../src/gpu/device';
import { probe } from '../../../src/gpu/probe';
import { type BenchCase, cases } from '../cases';
import { hardwareCases } from '../cases/kernels';
import { collectedShapes } from '../sparse/collected';
import { drawnShapes, wantsSparse } from '../sparse/shapes';
import { type KernelResult, measureCase } from './measure';
import { measureShape, type SparseKernelResult, sparseHead, sparseRow } from './sparse';

const head = ['case', 'median ms', 'GPU ms', 'GFLOP/s', 'GB/s', 'roofline', 'first ms', 'slowest kernel'];

const usage = 'Usage: npm run bench:kernels [-- --only=REGEX --rounds=N --json=FILE --bundle=FOLDER]';

/** @returns the exit status */
export async function runKernelBench(gpu: GPU, args: readonly string[]): Promise<number> {
  const option = (name: string) => args.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3);
  const rounds = Number(option('rounds') ?? 9);
  if (args.some((arg) => !/^--(only|rounds|json)=.+$/.test(arg)) || !Number.isInteger(rounds) || rounds < 1) {
    console.error(usage);
    return 2;
  }
  const device = await openDevice(gpu);
  const { vendor, architecture, description, features, software } = device.profile;
  const peaks = await probe(device);
  device.handle.destroy();
  console.log(`${vendor} ${architecture} ${description}: ${features.join(', ')}`);
  console.log(`peaks: ${(peaks.flops / 1e9).toFixed(1)} GFLOP/s, copy ${(peaks.bandwidth / 1e9).toFixed(1)} GB/s`);
  const wanted = new RegExp(option('only') ?? '');
  const chosen = [...cases, ...(software ? [] : hardwareCases)].filter(
    (c) => wanted.test(c.name) && runsOn(c, features),
  );
  const results: KernelResult[] = [];
  if (chosen.length > 0) console.log(`\n${row(head)}`);
  for (const c of chosen) {
    const r = await measureCase(gpu, c, peaks, rounds);
    results.push(r);
    console.log(
      row([
        r.name,
        ms(r.median),
        ms(r.gpuTime),
        fixed(r.gflops),
        fixed(r.gbytes),
        share(r.roofline),
        ms(r.first),
        r.kernel,
      ]),
    );
  }
  const sparse = wantsSparse(wanted) ? await timeSparse(gpu, wanted, rounds) : [];
  const file = option('json');
  const adapter = { vendor, architecture, description, features, software };
  const report = {
    date: new Date().toISOString().slice(0, 10),
    node: process.version,
    adapter,
    peaks,
    rounds,
    results,
    sparse,
  };
  if (file) writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`);
  return 0;
}

async function timeSparse(gpu: GPU, wanted: RegExp, rounds: number): Promise<SparseKernelResult[]> {
  const data = sharedDataFolder(root);
  if (!existsSync(data)) console.log(`\nNo layers that others pruned: there is no folder ${data}. Set LEPTON_DATA.`);
  const shapes = [...drawnShapes(), ...(existsSync(data) ? collectedShapes() : [])];
  console.log(`\n${row(sparseHead)}`);
  const results: SparseKernelResult[] = [];
  for (const shape of shapes.filter(({ name }) => wanted.test(`sparse ${name}`))) {
    for (const result of await measureShape(gpu, shape, rounds)) {
      results.push(result);
      console.log(row(sparseRow(result)));
    }
  }
  return results;
}

function runsOn(c: BenchCase, features: readonly string[]): boolean {
  return (c.needs ?? []).every((feature) => features.includes(feature));
}

function row([name = '', ...rest]: readonly string[]): string {
  const last = rest.pop() ?? '';
  return `${name.padEnd(50)}${rest.map((cell) => cell.padStart(12)).join('')}  ${last}`;
}

function ms(value: number | undefined): string {
  return value === undefined ? '' : value.toFixed(value < 10 ? 2 : 1);
}

function fixed(value: number | undefined): string {
  return value === undefined ? '' : value.toFixed(value < 100 ? 2 : 0);
}

function share(value: number | undefined): string {
  return value === undefined ? '' : `${(100 * value).toFixed(0)} %`;
}
