// The built library on pages of its users: from a script tag of another origin, as a module, under strict
// Content-Security-Policies and Trusted Types. None of these policies allows eval or wasm.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeBrowsers } from '../support/browsers';
import { expectedAnswer, openPage, type Site, startSite } from './pages';

describeBrowsers('the built library', (browser) => {
  let site: Site;
  beforeAll(async () => {
    site = await startSite();
  });
  afterAll(() => site.close());

  const strict = () => `default-src 'none'; script-src 'self' ${site.other.url}; worker-src 'self'; connect-src 'self'`;
  const otherOrigin = () => `${site.other.url}/dist/lepton.js`;

  test('runs from a script tag of another origin, its worker inlined', async () => {
    expect(await openPage(browser, site, { library: otherOrigin() })).toEqual(expectedAnswer);
  });

  test('runs as a module', async () => {
    expect(await openPage(browser, site, {})).toEqual(expectedAnswer);
  });

  test('runs under a strict policy with a worker file of the own origin', async () => {
    const options = { library: otherOrigin(), csp: strict(), workerUrl: '/dist/worker.js' };
    expect(await openPage(browser, site, options)).toEqual(expectedAnswer);
  });

  test('runs under a strict policy with a one-line worker file that imports the other origin', async () => {
    site.own.put('/bootstrap.js', { text: `importScripts('${site.other.url}/dist/worker.js');` });
    const options = { library: otherOrigin(), csp: strict(), workerUrl: '/bootstrap.js' };
    expect(await openPage(browser, site, options)).toEqual(expectedAnswer);
  });

  test('says what to do where the policy forbids its worker', async () => {
    const result = await openPage(browser, site, { library: otherOrigin(), csp: strict() });
    expect(result).toMatchObject({ name: 'LeptonError', code: 'WORKER_FAILED' });
    expect(result.message).toContain('worker.js');
    expect(result.message).toContain("{ workerUrl: '/worker.js' } to load(), and where models are trained to build()");
  });

  test('says so where the worker file is missing', async () => {
    const result = await openPage(browser, site, { library: otherOrigin(), workerUrl: '/gone/worker.js' });
    expect(result).toMatchObject({ name: 'LeptonError', code: 'WORKER_FAILED' });
    expect(result.message).toContain('/gone/worker.js');
  });

  test('runs under Trusted Types with a worker address that the page trusts', async () => {
    const page = { library: otherOrigin(), csp: "require-trusted-types-for 'script'" };
    const untrusted = await openPage(browser, site, page);
    expect(untrusted).toMatchObject({ name: 'LeptonError', code: 'WORKER_FAILED' });
    expect(untrusted.message).toContain('Trusted');
    const options = { ...page, workerUrl: '/dist/worker.js', trusted: true };
    expect(await openPage(browser, site, options)).toEqual(expectedAnswer);
  });
});
