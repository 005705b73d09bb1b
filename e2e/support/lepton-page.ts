// A page with the built script-tag library on it, and what tests do with it: load, run, look. Tensors
// cross as base64, since evaluate carries JSON.

import { fileURLToPath } from 'node:url';
import type { DType } from '../../src/base/dtype';
import { decode, encode, type NDArray } from '../../src/base/ndarray';
import type { LoadReport } from '../../src/worker/protocol';
import type { TestBrowser, TestPage } from './browsers';
import { startServer, type TestServer } from './server';

export interface WireArray {
  readonly type: DType;
  readonly dims: readonly number[];
  readonly base64: string;
}

export interface RunReport {
  readonly outputs: Record<string, NDArray>;
  readonly load: LoadReport;
  /** Milliseconds from the call of `load` to the first answer. */
  readonly firstAnswer: number;
}

export const dist = fileURLToPath(new URL('../../dist', import.meta.url));

/** A server with the built library under /dist/ and an empty page at / that loads it by script tag. */
export async function startLeptonServer(options?: Parameters<typeof startServer>[0]): Promise<TestServer> {
  const server = await startServer(options);
  server.mount('/dist', dist);
  server.put('/', {
    text: '<!doctype html><title>Lepton</title><script src="/dist/lepton.js"></script>',
    headers: { 'Content-Type': 'text/html' },
  });
  return server;
}

export async function openLeptonPage(browser: TestBrowser, server: TestServer): Promise<TestPage> {
  const page = await browser.newPage();
  await page.goto(`${server.url}/`);
  return page;
}

/** Loads a model by URL on the page and runs it once. */
export async function loadAndRun(
  page: TestPage,
  url: string,
  feeds: Readonly<Record<string, NDArray>>,
  options: { cache?: boolean; backend?: 'cpu' | 'webgpu' } = {},
): Promise<RunReport> {
  const wire = Object.fromEntries(Object.entries(feeds).map(([name, array]) => [name, toWireArray(array)]));
  const { outputs, load, firstAnswer } = await page.evaluate(runInPage, { url, feeds: wire, options });
  return {
    outputs: Object.fromEntries(Object.entries(outputs).map(([name, array]) => [name, fromWireArray(array)])),
    load,
    firstAnswer,
  };
}

export function toWireArray(array: NDArray): WireArray {
  return { type: array.dtype, dims: array.dims, base64: Buffer.from(encode(array)).toString('base64') };
}

export function fromWireArray({ type, dims, base64 }: WireArray): NDArray {
  return decode(type, dims, new Uint8Array(Buffer.from(base64, 'base64')));
}

type Lepton = typeof import('../../src/api');

async function runInPage({
  url,
  feeds,
  options,
}: {
  url: string;
  feeds: Record<string, WireArray>;
  options: { cache?: boolean; backend?: 'cpu' | 'webgpu' };
}): Promise<{ outputs: Record<string, WireArray>; load: LoadReport; firstAnswer: number }> {
  const { load, Tensor } = (globalThis as unknown as { lepton: Lepton }).lepton;
  const arrays = {
    float32: Float32Array,
    float16: Uint16Array,
    int64: BigInt64Array,
    int32: Int32Array,
    uint8: Uint8Array,
    int8: Int8Array,
    bool: Uint8Array,
  };
  const start = performance.now();
  const model = await load(url, options);
  const inputs = Object.fromEntries(
    Object.entries(feeds).map(([name, { type, dims, base64 }]) => {
      const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
      const data = new arrays[type as keyof typeof arrays](bytes.buffer);
      return [name, new Tensor(type, data as Float32Array, dims)];
    }),
  );
  const results = await model.run(inputs);
  const firstAnswer = performance.now() - start;
  const outputs: Record<string, WireArray> = {};
  for (const [name, { type, dims, data }] of Object.entries(results)) {
    const { buffer, byteOffset, byteLength } = data;
    const bytes = new Uint8Array(buffer, byteOffset, byteLength);
    let text = '';
    for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
    outputs[name] = { type, dims, base64: btoa(text) };
  }
  await model.dispose();
  return { outputs, load: model.report, firstAnswer };
}
