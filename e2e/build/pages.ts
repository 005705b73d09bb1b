// Pages as a user of the built library writes them: plain HTML, a script tag, a script of their own. Nothing
// goes through the dev server. The page's script leaves its result where `openPage` finds it.

import { ndarray } from '../../src/base/ndarray';
import type { TestBrowser } from '../support/browsers';
import { dist } from '../support/lepton-page';
import { makeModel, tensorOf } from '../support/onnx-writer';
import { startServer, type TestServer } from '../support/server';

/** y = Relu(x + w) with w = [0.5, 0.5, 0.5]. */
const tinyModel = makeModel({
  nodes: [
    { op: 'Add', inputs: ['x', 'w'], outputs: ['sum'] },
    { op: 'Relu', inputs: ['sum'], outputs: ['y'] },
  ],
  inputs: [{ name: 'x', dtype: 'float32', shape: [3] }],
  outputs: [{ name: 'y', dtype: 'float32', shape: [3] }],
  initializers: [tensorOf('w', ndarray('float32', [3], [0.5, 0.5, 0.5]))],
});

/** What the page below computes from [-1, 2, 3]. */
export const expectedAnswer = { y: [0, 2.5, 3.5] };

const use = `
  let { workerUrl, trusted } = document.currentScript.dataset;
  if (trusted) {
    workerUrl = trustedTypes.createPolicy('page', { createScriptURL: (url) => url }).createScriptURL(workerUrl);
  }
  const start = window.lepton ? Promise.resolve(window.lepton) : import('/dist/lepton.mjs');
  start
    .then(async ({ load, Tensor }) => {
      const model = await load('/tiny.onnx', { cache: false, ...(workerUrl ? { workerUrl } : {}) });
      const { y } = await model.run({ x: new Tensor('float32', Float32Array.of(-1, 2, 3), [3]) });
      return { y: [...y.data] };
    })
    .catch((error) => ({ name: error.name, code: error.code, message: error.message }))
    .then((result) => { document.documentElement.dataset.result = JSON.stringify(result); });
`;

export interface Site {
  /** The page's own origin: model, page and a copy of the library under /dist/. */
  readonly own: TestServer;
  /** Another origin that serves the library under /dist/. */
  readonly other: TestServer;
  close(): Promise<void>;
}

export async function startSite(): Promise<Site> {
  const own = await startServer();
  const other = await startServer({ cors: true });
  own.put('/tiny.onnx', { bytes: tinyModel });
  own.put('/use.js', { text: use });
  for (const server of [own, other]) server.mount('/dist', dist);
  return {
    own,
    other,
    async close() {
      await own.close();
      await other.close();
    },
  };
}

export interface PageOptions {
  /** Address of the script tag; without it the page imports the module build of its own origin. */
  library?: string;
  workerUrl?: string;
  /** Passes `workerUrl` as a TrustedScriptURL of the page's own policy. */
  trusted?: boolean;
  csp?: string;
}

export interface PageResult {
  y?: number[];
  name?: string;
  code?: string;
  message?: string;
}

let pages = 0;

/** Opens a page of its own with these options and answers what its script found. */
export async function openPage(browser: TestBrowser, site: Site, options: PageOptions): Promise<PageResult> {
  const path = `/page-${pages++}.html`;
  const library = options.library ? `<script src="${options.library}"></script>` : '';
  const workerUrl = options.workerUrl ? ` data-worker-url="${options.workerUrl}"` : '';
  const trusted = options.trusted ? ' data-trusted="yes"' : '';
  site.own.put(path, {
    text: `<!doctype html><title>A page</title>${library}<script src="/use.js"${workerUrl}${trusted}></script>`,
    headers: options.csp ? { 'Content-Security-Policy': options.csp } : {},
  });
  const page = await browser.newPage();
  try {
    await page.goto(site.own.url + path);
    await page.waitForFunction(() => document.documentElement.dataset.result, undefined, 60_000);
    return JSON.parse(await page.evaluate(() => document.documentElement.dataset.result ?? '{}')) as PageResult;
  } finally {
    await page.close();
  }
}
