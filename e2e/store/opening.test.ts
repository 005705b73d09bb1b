// A database that another connection blocks: it is given up after a while, and used when it opens after all.

import { expect, inject, test } from 'vitest';
import { describeBrowsers } from '../support/browsers';

describeBrowsers('opening a database', (browser) => {
  test('gives up while it is blocked, does nothing late, and goes on when it opens', async () => {
    const page = await browser.newPage();
    await page.goto(`${inject('server')}/e2e/support/blank.html`);
    expect(await page.evaluate(block, `blocked-${browser.name}`)).toEqual({
      refused: ['TimeoutError', 'TimeoutError'],
      secondWaited: false,
      done: ['third'],
    });
    await page.close();
  });

  test('is tried again where it was forbidden', async () => {
    const page = await browser.newPage();
    await page.goto(`${inject('server')}/e2e/support/blank.html`);
    expect(await page.evaluate(forbidFirst, `forbidden-${browser.name}`)).toEqual(['SecurityError', 'written']);
    await page.close();
  });
});

async function forbidFirst(name: string): Promise<string[]> {
  const path = '/src/store/open-store.ts';
  const { openStore } = (await import(path)) as typeof import('../../src/store/open-store');
  const tick = 20;
  const use = openStore(name, 'things', tick);
  const write = () =>
    use('readwrite', (store) => {
      store.put(1, 'key');
    }).then(
      () => 'written',
      (error: Error) => error.name,
    );
  const { open } = IDBFactory.prototype;
  IDBFactory.prototype.open = () => {
    throw new DOMException('denied', 'SecurityError');
  };
  const first = await write();
  IDBFactory.prototype.open = open;
  // Longer than anything waits to open.
  await new Promise((resume) => setTimeout(resume, 10 * tick));
  return [first, await write()];
}

async function block(name: string): Promise<{ refused: string[]; secondWaited: boolean; done: string[] }> {
  const path = '/src/store/open-store.ts';
  const { openStore } = (await import(path)) as typeof import('../../src/store/open-store');
  const holder = await new Promise<IDBDatabase>((resolve) => {
    const request = indexedDB.open(name);
    request.onsuccess = () => resolve(request.result);
  });
  // Waits for the holder to close, and all that come after wait for it.
  const deleted = new Promise((resolve) => {
    indexedDB.deleteDatabase(name).onsuccess = resolve;
  });
  const tick = 50;
  const use = openStore(name, 'things', tick);
  const done: string[] = [];
  const write = (key: string) =>
    use('readwrite', (store) => {
      done.push(key);
      store.put(1, key);
    });
  const failure = (error: Error) => error.name;
  const first = await write('first').then(() => 'written', failure);
  const before = performance.now();
  const second = await write('second').then(() => 'written', failure);
  const secondWaited = performance.now() - before > tick;
  holder.close();
  await deleted;
  // Opening has gone on, and its end is heard soon.
  for (let i = 0; i < 100 && done.length === 0; i++) {
    await new Promise((resume) => setTimeout(resume, tick));
    await write('third').catch(() => {});
  }
  return { refused: [first, second], secondWaited, done };
}
