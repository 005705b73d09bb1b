// The site of the cold start: all files gzipped and cacheable for ever, as a careful host serves them, and a
// count of the bytes that leave it.

import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { gzipSync } from 'node:zlib';
import { startServer } from '../support/server';
import { isolation, type PageName, pageOf } from './build-pages';

export interface StartSite {
  readonly url: string;
  put(path: string, bytes: Uint8Array): void;
  /** Bytes of the bodies sent since the last call, by path. */
  takeSent(): Map<string, number>;
  close(): Promise<void>;
}

/** @param folder what `buildPages` wrote */
export async function startSite(pages: readonly PageName[], folder: string): Promise<StartSite> {
  const server = await startServer({ headers: isolation });
  const sizes = new Map<string, number>();
  const put = (path: string, bytes: Uint8Array, headers: Record<string, string> = forEver) => {
    sizes.set(path, bytes.length);
    server.put(path, { bytes, headers });
  };
  const putZipped = (path: string, bytes: Uint8Array, headers: Record<string, string> = forEver) => {
    put(path, gzipSync(bytes, { level: 9 }), { ...headers, 'Content-Encoding': 'gzip' });
  };
  for (const name of pages) {
    // A page that changes names its scripts anew, so that only the page itself is asked for again.
    putZipped(`/${name}.html`, Buffer.from(pageOf(name)), {
      'Content-Type': 'text/html',
      'Cache-Control': 'no-cache',
    });
    for (const file of filesOf(join(folder, name))) {
      putZipped(`/${name}/${relative(join(folder, name), file).split(sep).join('/')}`, readFileSync(file));
    }
  }
  return {
    url: server.url,
    put,
    takeSent() {
      const sent = new Map<string, number>();
      for (const { path, method } of server.requests) {
        if (method === 'GET') sent.set(path, (sent.get(path) ?? 0) + (sizes.get(path) ?? 0));
      }
      server.forgetRequests();
      return sent;
    },
    close: () => server.close(),
  };
}

const forEver = { 'Cache-Control': 'public, max-age=31536000, immutable' };

function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.map'))
    .map((entry) => join(entry.parentPath, entry.name));
}
