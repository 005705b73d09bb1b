// Answers one HTTP request with a file: right type, strong ETag, If-None-Match, Range and If-Range, HEAD.
// The caller has checked that the path may be served.

import { createReadStream, type Stats } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { extname } from 'node:path';

const types: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
  '.webp': 'image/webp',
};

export function contentType(path: string): string {
  return types[extname(path).toLowerCase()] ?? 'application/octet-stream';
}

export function sendFile(request: IncomingMessage, response: ServerResponse, path: string, stats: Stats): void {
  const etag = `"${stats.size.toString(36)}-${Math.round(stats.mtimeMs).toString(36)}"`;
  response.setHeader('ETag', etag);
  if (!response.hasHeader('Cache-Control')) response.setHeader('Cache-Control', 'no-cache');
  if (request.headers['if-none-match'] === etag) {
    response.writeHead(304).end();
    return;
  }
  response.setHeader('Content-Type', contentType(path));
  sendBytes(request, response, stats.size, etag, (start, end) => createReadStream(path, { start, end: end - 1 }));
}

/** Sends `size` bytes, or the range asked for; `open(start, end)` gives the bytes [start, end). */
export function sendBytes(
  request: IncomingMessage,
  response: ServerResponse,
  size: number,
  etag: string,
  open: (start: number, end: number) => NodeJS.ReadableStream,
): void {
  response.setHeader('Accept-Ranges', 'bytes');
  const ifRange = request.headers['if-range'];
  const wanted = ifRange === undefined || ifRange === etag ? request.headers.range : undefined;
  const range = wanted === undefined ? { start: 0, end: size } : parseRange(wanted, size);
  if (!range) {
    response.setHeader('Content-Range', `bytes */${size}`);
    response.writeHead(416).end();
    return;
  }
  const { start, end } = range;
  response.setHeader('Content-Length', end - start);
  if (wanted !== undefined) response.setHeader('Content-Range', `bytes ${start}-${end - 1}/${size}`);
  response.writeHead(wanted === undefined ? 200 : 206);
  if (request.method === 'HEAD' || start === end) {
    response.end();
    return;
  }
  const stream = open(start, end);
  stream.on('error', () => response.destroy());
  response.on('close', () => {
    if ('destroy' in stream && typeof stream.destroy === 'function') stream.destroy();
  });
  stream.pipe(response);
}

/** One byte range; undefined where it cannot be satisfied. Several ranges are not served: no client here asks. */
function parseRange(header: string, size: number): { start: number; end: number } | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header.trim());
  if (!match || (match[1] === '' && match[2] === '')) return undefined;
  if (match[1] === '') return size === 0 ? undefined : { start: Math.max(0, size - Number(match[2])), end: size };
  const start = Number(match[1]);
  const end = match[2] === '' ? size : Math.min(size, Number(match[2]) + 1);
  return start < end ? { start, end } : undefined;
}
