// The test server keeps HTTP's promises, since the store's resume logic is tested against it.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startServer, type TestServer } from './server';

describe('test server', () => {
  let server: TestServer;
  const bytes = Uint8Array.from({ length: 100 }, (_, i) => i);

  beforeAll(async () => {
    server = await startServer({ cors: true });
    server.put('/small.bin', { bytes });
    server.put('/large.bin', {
      size: 5_000_000,
      fill: (piece, offset) => {
        for (let i = 0; i < piece.length; i++) piece[i] = (offset + i) % 251;
      },
    });
    server.put('/page.html', { text: '<p>Hi', headers: { 'Content-Security-Policy': "default-src 'none'" } });
    server.mount('/support', import.meta.dirname);
  });
  afterAll(() => server.close());

  const get = (path: string, headers: Record<string, string> = {}) => fetch(server.url + path, { headers });

  test('serves ranges of bytes, files and generated content', async () => {
    const part = await get('/small.bin', { Range: 'bytes=90-' });
    expect([part.status, part.headers.get('content-range')]).toEqual([206, 'bytes 90-99/100']);
    expect([...new Uint8Array(await part.arrayBuffer())]).toEqual([...bytes.subarray(90)]);
    const generated = await get('/large.bin', { Range: 'bytes=4999998-4999999' });
    expect([...new Uint8Array(await generated.arrayBuffer())]).toEqual([4999998 % 251, 4999999 % 251]);
    const file = await get('/support/server.ts', { Range: 'bytes=0-1' });
    expect(await file.text()).toBe('//');
    expect((await get('/small.bin', { Range: 'bytes=100-' })).status).toBe(416);
  });

  test('honours validators', async () => {
    const etag = (await get('/support/server.ts')).headers.get('etag') ?? '';
    expect((await get('/support/server.ts', { 'If-None-Match': etag })).status).toBe(304);
    expect((await get('/small.bin', { Range: 'bytes=1-2', 'If-Range': '"another"' })).status).toBe(200);
  });

  test('adds headers and stays inside its folder', async () => {
    const page = await get('/page.html');
    expect(page.headers.get('content-security-policy')).toBe("default-src 'none'");
    expect(page.headers.get('content-type')).toContain('text/html');
    expect((await get('/support/..%2f..%2fpackage.json')).status).toBe(404);
  });

  test('records requests and injects faults', async () => {
    server.forgetRequests();
    server.setFault(({ path, earlier }) => (path === '/large.bin' && earlier === 0 ? { cutAfter: 1000 } : undefined));
    const broken = await get('/large.bin');
    const reader = broken.body?.getReader();
    let received = 0;
    const drain = async () => {
      for (let piece = await reader?.read(); piece && !piece.done; piece = await reader?.read())
        received += piece.value.length;
    };
    await expect(drain()).rejects.toThrow();
    expect(received).toBe(1000);
    expect((await (await get('/large.bin')).arrayBuffer()).byteLength).toBe(5_000_000);
    server.setFault(() => ({ status: 503 }));
    expect((await get('/small.bin')).status).toBe(503);
    server.setFault(undefined);
    expect(server.requests.map((r) => r.earlier)).toEqual([0, 1, 0]);
  });
});
