// The page that times kernels of sparse weights alone.

import { Devices } from '../../../src/worker/devices';
import { KernelTimer } from '../sparse/kernel-timer';
import { fetchFeed } from './page';
import type { CaseFiles } from './runtime';

/** `globalThis.kernels` of the page. */
export interface KernelsPage {
  /** Opens the cases of these folders. */
  open(folders: readonly string[]): Promise<void>;
  /** Milliseconds of each, in the order of the folders; the `first`-th begins. */
  time(first: number): Promise<number[]>;
}

let timer: KernelTimer | undefined;

const page: KernelsPage = {
  async open(folders) {
    timer = new KernelTimer(await new Devices(navigator.gpu).get());
    for (const folder of folders) {
      const { name, model, feeds }: CaseFiles = await (await fetch(`${folder}/case.json`)).json();
      const bytes = new Uint8Array(await (await fetch(model)).arrayBuffer());
      await timer.open({ name, bytes, feeds: await Promise.all(feeds.map(fetchFeed)) });
    }
  },
  async time(first) {
    if (!timer) throw new Error('Nothing is open.');
    return timer.time(first);
  },
};

Object.assign(globalThis, { kernels: page });
