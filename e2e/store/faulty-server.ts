// A server of files that misbehave as told, and of the project's pages beside them (handed on to the dev
// server), so that a page and its files share an origin. Every request for a file is logged.

import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface FaultyFile {
  bytes: Buffer;
  etag?: string;
  lastModified?: string;
  /** False answers 200 to every request. */
  ranges?: boolean;
  /** False answers a Range whatever If-Range says. */
  ifRange?: boolean;
  /** Statuses of the next answers, before the file is served. */
  statuses?: number[];
  /** How many bytes the next answers may send before the connection breaks. */
  cuts?: number[];
  /** Sends up to this position of the file, and then nothing until `release`. */
  holdAt?: number;
  /** Bytes that Content-Length promises too many. */
  overstate?: number;
  /** True leaves Content-Length out. */
  chunked?: boolean;
  /** True lets pages of other origins read the file, as a plain server does: no exposed headers, no preflight. */
  cors?: boolean;
}

export interface LoggedRequest {
  method: string;
  path: string;
  range: string | undefined;
  ifRange: string | undefined;
}

export interface FaultyServer {
  readonly url: string;
  readonly files: Map<string, FaultyFile>;
  readonly requests: LoggedRequest[];
  /** Lets the answers held by `holdAt` go on, and holds none from now on. */
  release(path: string): void;
  close(): Promise<void>;
}

export async function startFaultyServer(pages: string): Promise<FaultyServer> {
  const files = new Map<string, FaultyFile>();
  const requests: LoggedRequest[] = [];
  const held = new Map<string, (() => void)[]>();

  const server = createServer((incoming, response) => {
    const path = incoming.url ?? '/';
    if (!path.startsWith('/files/')) return handOn(pages, incoming, response);
    const { range, 'if-range': ifRange } = incoming.headers;
    requests.push({ method: incoming.method ?? '', path, range, ifRange: ifRange as string | undefined });
    const file = files.get(path);
    if (incoming.method === 'OPTIONS') return void response.writeHead(405).end();
    if (!file) return void response.writeHead(404).end('not here');
    return serve(file, incoming, response, (go) => held.set(path, [...(held.get(path) ?? []), go]));
  });
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));

  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}`,
    files,
    requests,
    release(path) {
      const file = files.get(path);
      if (file) delete file.holdAt;
      for (const go of held.get(path) ?? []) go();
      held.delete(path);
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function serve(
  file: FaultyFile,
  incoming: IncomingMessage,
  response: ServerResponse,
  hold: (go: () => void) => void,
): void {
  const { bytes, etag, lastModified } = file;
  if (file.cors) response.setHeader('Access-Control-Allow-Origin', '*');
  const status = file.statuses?.shift();
  if (status !== undefined) return void response.writeHead(status).end();
  if (etag) response.setHeader('ETag', etag);
  if (lastModified) response.setHeader('Last-Modified', lastModified);

  const range = /^bytes=(\d+)-(\d*)$/.exec(incoming.headers.range ?? '');
  const ifRange = incoming.headers['if-range'];
  const honoured = ifRange === undefined || file.ifRange === false || ifRange === etag || ifRange === lastModified;
  const ranged = range !== null && file.ranges !== false && honoured;
  const start = ranged ? Number(range[1]) : 0;
  const end = ranged && range[2] ? Number(range[2]) + 1 : bytes.length;
  if (ranged && start >= bytes.length) {
    return void response.writeHead(416, { 'Content-Range': `bytes */${bytes.length}` }).end();
  }
  if (!file.chunked) response.setHeader('Content-Length', end - start + (file.overstate ?? 0));
  if (ranged) response.setHeader('Content-Range', `bytes ${start}-${end - 1}/${bytes.length}`);
  response.writeHead(ranged ? 206 : 200);
  response.flushHeaders();

  const cut = file.cuts?.shift();
  const finish = (from: number) => {
    if (cut !== undefined && from + cut < end) {
      response.write(bytes.subarray(from, from + cut), () => setTimeout(() => response.destroy(), 50));
    } else if (file.overstate) {
      response.write(bytes.subarray(from, end), () => setTimeout(() => response.destroy(), 50));
    } else response.end(bytes.subarray(from, end));
  };
  const holdAt = file.holdAt ?? end;
  if (holdAt <= start || holdAt >= end) {
    finish(start);
    return;
  }
  response.write(bytes.subarray(start, holdAt));
  hold(() => finish(holdAt));
}

function handOn(pages: string, incoming: IncomingMessage, response: ServerResponse): void {
  // The dev server's own client would look for its web socket here.
  if (incoming.url === '/@vite/client') {
    response.writeHead(200, { 'Content-Type': 'text/javascript' }).end();
    return;
  }
  const onward = request(`${pages}${incoming.url}`, { method: incoming.method }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, { ...answer.headers, 'access-control-allow-origin': '*' });
    answer.pipe(response);
  });
  onward.on('error', () => response.destroy());
  onward.end();
}
