// The development server lists and serves the shared data, and nothing outside its folder.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type ViteDevServer } from 'vite';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { sharedData } from './shared-data';

const folder = mkdtempSync(join(tmpdir(), 'lepton-shared-'));
let server: ViteDevServer;
let url: string;

beforeAll(async () => {
  mkdirSync(join(folder, 'data/models/tiny net'), { recursive: true });
  mkdirSync(join(folder, 'data/images'));
  writeFileSync(join(folder, 'data/models/tiny net/tiny.onnx'), '0123456789');
  writeFileSync(join(folder, 'data/models/tiny net/face.jpg'), 'jpeg');
  writeFileSync(join(folder, 'data/images/cat.png'), 'png');
  writeFileSync(join(folder, 'secret.txt'), 'secret');
  vi.stubEnv('LEPTON_DATA', join(folder, 'data'));
  server = await createServer({
    configFile: false,
    root: join(folder, 'data', 'images'),
    logLevel: 'silent',
    plugins: [sharedData()],
    server: { host: 'localhost', port: 0, hmr: false, watch: null },
  });
  await server.listen();
  const address = server.httpServer?.address();
  url = `http://localhost:${typeof address === 'object' ? address?.port : 0}`;
});

afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

test('lists models and images with addresses that work', async () => {
  const models = await (await fetch(`${url}/shared/models.json`)).json();
  expect(models).toEqual([{ name: 'tiny', path: '/shared/models/tiny%20net/tiny.onnx', bytes: 10 }]);
  const images = await (await fetch(`${url}/shared/images.json`)).json();
  expect(images.map((image: { name: string }) => image.name)).toEqual(['face', 'cat']);
  const part = await fetch(url + models[0].path, { headers: { Range: 'bytes=2-4' } });
  expect([part.status, await part.text(), part.headers.get('etag')]).toEqual([206, '234', expect.stringMatching(/^"/)]);
});

test('does not leave its folder', async () => {
  // fetch() would resolve the dots itself.
  for (const path of ['/shared/../secret.txt', '/shared/%2e%2e/secret.txt', '/shared/..%2fsecret.txt']) {
    const body = await new Promise<string>((done) => {
      request(url + path, { path }, async (response) => done(Buffer.concat(await response.toArray()).toString())).end();
    });
    expect(body).not.toContain('secret');
  }
});
