// The process that damages and tries models, so that one that hangs or eats the memory can be ended from
// outside. Asked with a range of seeds, it tells of each before and after.

import { LeptonError } from '../../src/base/errors';
import { Devices } from '../../src/worker/devices';
import { openDawn } from '../support/dawn';
import { attempt } from './attempt';
import { dataOf, modelOf, type Specimen, specimens } from './corpus';
import { mutate } from './mutate';

export interface Task {
  readonly folder: string;
  readonly run: 'host' | 'gpu';
  /** Seeds from `from` up to, not including, `to`. */
  readonly from: number;
  readonly to: number;
}

export type Message =
  | { readonly kind: 'begin'; readonly seed: number; readonly specimen: string }
  | { readonly kind: 'end'; readonly seed: number; readonly outcome: string; readonly failure?: string }
  | { readonly kind: 'done' };

// Here, and not where it is used: this module's own imports end once it has been imported.
const dawn = process.argv.includes('gpu') ? await openDawn() : undefined;

/** One in so many models is a network. */
const networkShare = 12;
/**
 * Milliseconds of this process's own time, whatever else the machine does, and bytes that it may grow by, for one
 * model. On a GPU made of software most of the time goes into compiling shaders: there only silence counts.
 */
const timeLimit = 2000;
const memoryLimit = 512 << 20;

export default async function main(): Promise<number> {
  const task = await new Promise<Task>((resolve) => process.once('message', resolve));
  const send = (message: Message) => process.send?.(message);
  const { cases, networks } = specimens(task.folder);
  const devices = dawn && new Devices(dawn.gpu);
  for (let seed = task.from; seed < task.to; seed++) {
    const isNetwork = !devices && networks.length > 0 && seed % networkShare === 0;
    // A prime step visits the whole list before it comes again.
    const specimen = (
      isNetwork ? networks[(seed / networkShare) % networks.length] : cases[(seed * 7919) % cases.length]
    ) as Specimen;
    send({ kind: 'begin', seed, specimen: specimen.name });
    const bytes = mutate(modelOf(specimen), seed);
    const data = dataOf(specimen);
    const start = process.cpuUsage();
    const memory = process.resourceUsage().maxRSS;
    const result = await attempt({ bytes, seed, data, run: isNetwork ? 'not' : (devices ?? 'host') }).then(
      (outcome) => ({ outcome }),
      judge,
    );
    const { user, system } = process.cpuUsage(start);
    const took = devices ? 0 : (user + system) / 1000;
    const grew = (process.resourceUsage().maxRSS - memory) * 1024;
    const excess =
      took > timeLimit ? `took ${Math.round(took)} ms` : grew > memoryLimit ? `took ${grew >> 20} MiB` : undefined;
    send({ kind: 'end', seed, ...(excess ? { ...result, failure: excess } : result) });
  }
  send({ kind: 'done' });
  process.disconnect();
  dawn?.close();
  return 0;
}

function judge(error: unknown): { outcome: string; failure?: string } {
  // What Lepton calls a defect of its own is one.
  if (error instanceof LeptonError && error.code !== 'INTERNAL') return { outcome: error.code };
  const { name, message, stack = '' } = error as Error;
  const place = stack
    .split('\n')
    .filter((line) => line.includes('/src/'))
    .slice(0, 4)
    .map((line) => line.trim());
  return { outcome: 'stray', failure: `${name}: ${message} ${place.join(' ')}` };
}
