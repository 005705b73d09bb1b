// The page of the weight store's tests: puts the calls of driver.ts on `globalThis.driver`, and the same
// calls in as many workers as asked for on `globalThis.workers`.

import * as Comlink from 'comlink';
import { createDriver, type Driver } from './driver';

declare global {
  var driver: Driver;
  var workers: Comlink.Remote<Driver>[];
  var startWorker: () => Promise<void>;
}

globalThis.workers = [];
globalThis.startWorker = async () => {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
  globalThis.workers.push(Comlink.wrap<Driver>(worker));
};
globalThis.driver = createDriver();
