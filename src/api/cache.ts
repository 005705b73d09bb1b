// What Lepton keeps in IndexedDB, for pages that manage it.

import type { CachedFile, CacheUsage } from '../worker/protocol';
import { defaultClient } from './worker-client';

export interface CacheOptions {
  /** The worker script to use, where `load` is given one. */
  readonly workerUrl?: string | URL;
}

export const cache = {
  /** Files kept, by URL. */
  list(options: CacheOptions = {}): Promise<CachedFile[]> {
    return defaultClient(options.workerUrl).call((worker) => worker.cacheList(), undefined);
  },
  /** Forgets one file; says whether there was one. Relative URLs are against the page. */
  delete(url: string | URL, options: CacheOptions = {}): Promise<boolean> {
    const absolute = new URL(url, document.baseURI).href;
    return defaultClient(options.workerUrl).call((worker, href) => worker.cacheDelete(href), absolute);
  },
  /** Forgets every file, and what was measured of the adapter. */
  clear(options: CacheOptions = {}): Promise<void> {
    return defaultClient(options.workerUrl).call((worker) => worker.cacheClear(), undefined);
  },
  /** Bytes and files kept, and the origin's quota. */
  usage(options: CacheOptions = {}): Promise<CacheUsage> {
    return defaultClient(options.workerUrl).call((worker) => worker.cacheUsage(), undefined);
  },
};
