// What is kept of measured adapters, in both browsers: the round trip, two tabs, other versions, damage, bounds.

import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { describeBrowsers, type TestPage } from '../support/browsers';

describeBrowsers('tuning store', (browser) => {
  let page: TestPage;
  let databaseName = '';
  let count = 0;
  beforeAll(async () => {
    page = await browser.newPage();
    await page.goto(`${inject('server')}/e2e/support/blank.html`);
  });
  afterAll(() => page.close());
  beforeEach(() => {
    databaseName = `tuning-${browser.name}-${++count}`;
  });

  /** Adds to what is kept of adapters, with a store of its own for each, as tabs have; answers all that is kept. */
  const visit = (adds: readonly Added[] = [], version = '1.0') =>
    page.evaluate(addAndRead, { databaseName, version, adds });

  const choice = (kernel: string, time = 1) => ({ kernel, tunables: { width: 8 }, time });
  const rates = { flops: 1e12, bandwidth: 1e11, dispatch: 5e-6 };

  test('keeps what was found out, adapter by adapter, and adds to it', async () => {
    await visit([
      { adapter: 'a', rates, choices: [['p', choice('gemv')]] },
      { adapter: 'b', choices: [['p', choice('tiled')]] },
    ]);
    await visit([{ adapter: 'a', choices: [['q', choice('direct', 0.25)]] }]);
    expect(await visit()).toEqual({
      a: {
        rates,
        choices: [
          ['p', choice('gemv')],
          ['q', choice('direct', 0.25)],
        ],
      },
      b: { choices: [['p', choice('tiled')]] },
    });
  });

  test('another version of Lepton begins anew', async () => {
    await visit([{ adapter: 'a', rates, choices: [['p', choice('gemv')]] }]);
    expect(await visit([], '1.1')).toEqual({});
    await visit([{ adapter: 'a', choices: [['q', choice('tiled')]] }], '1.1');
    expect(await visit([], '1.1')).toEqual({ a: { choices: [['q', choice('tiled')]] } });
  });

  test('forgets the oldest problems and adapters beyond its bounds', async () => {
    const many = Array.from({ length: 2001 }, (_, i): Added['choices'][number] => [`p${i}`, choice('gemv', i + 1)]);
    await visit([{ adapter: 'a', choices: many }]);
    await visit([{ adapter: 'a', choices: [['p5', choice('tiled')]] }]);
    const { choices = [] } = (await visit()).a ?? {};
    expect(choices).toHaveLength(2000);
    expect(choices[0]?.[0]).toBe('p1');
    expect(choices.at(-1)).toEqual(['p5', choice('tiled')]);
    const adapters = Array.from({ length: 9 }, (_, i): Added => ({ adapter: `n${i}`, rates, choices: [] }));
    await visit(adapters);
    expect(Object.keys(await visit()).sort()).toEqual(adapters.slice(1).map((a) => a.adapter));
  });

  describe('damage', () => {
    const whole = { version: '1.0', savedAt: 1, rates, choices: [['p', choice('gemv')]] };
    const damaged: Record<string, readonly [unknown, object]> = {
      'no record at all': ['text', {}],
      'choices that are no list': [{ ...whole, choices: { p: choice('gemv') } }, {}],
      'a time that cannot be': [
        { ...whole, choices: [['p', { ...choice('gemv'), time: -1 }], ...whole.choices] },
        { a: { rates, choices: whole.choices } },
      ],
      'rates that cannot be': [
        { ...whole, rates: { flops: 0, bandwidth: 1, dispatch: 1 } },
        { a: { choices: whole.choices } },
      ],
      'tunables that are no numbers': [
        { ...whole, choices: [['p', { kernel: 'gemv', tunables: { width: 'wide' }, time: 1 }]] },
        { a: { rates, choices: [] } },
      ],
      'a rival that took no time': [
        { ...whole, choices: [['p', { ...choice('gemv'), rival: { kernel: 'tiled', time: 0 } }], ...whole.choices] },
        { a: { rates, choices: whole.choices } },
      ],
    };
    for (const [name, [record, expected]] of Object.entries(damaged)) {
      test(`${name}: the rest is used, and what is found out is kept`, async () => {
        await visit();
        await page.evaluate(overwrite, { databaseName, record });
        expect(await visit()).toEqual(expected);
        await visit([{ adapter: 'a', choices: [['new', choice('tiled')]] }]);
        expect((await visit()).a?.choices.at(-1)).toEqual(['new', choice('tiled')]);
      });
    }
  });

  test('a page without IndexedDB does without', async () => {
    expect(await page.evaluate(withoutDatabase, { databaseName, version: '1.0', adds: [] })).toEqual({});
  });
});

interface Added {
  readonly adapter: string;
  readonly rates?: object;
  readonly choices: readonly (readonly [string, object])[];
}

interface Visit {
  readonly databaseName: string;
  readonly version: string;
  readonly adds: readonly Added[];
}

type Kept = Record<string, { rates?: object; choices: [string, object][] }>;

async function addAndRead({ databaseName, version, adds }: Visit): Promise<Kept> {
  const path = '/src/store/tuning.ts';
  const { createTuningStore } = (await import(path)) as typeof import('../../src/store/tuning');
  let clock = 0;
  for (const { adapter, rates, choices } of adds) {
    const store = createTuningStore({ databaseName, version, now: () => Date.now() + ++clock });
    await store.add(adapter, { rates, choices: new Map(choices) } as Parameters<typeof store.add>[1]);
  }
  const all = await createTuningStore({ databaseName, version }).read();
  return Object.fromEntries(
    [...all].map(([adapter, { rates, choices }]) => [adapter, { ...(rates && { rates }), choices: [...choices] }]),
  );
}

/** Puts a record of adapter 'a' into the database behind the store's back. */
async function overwrite({ databaseName, record }: { databaseName: string; record: unknown }): Promise<void> {
  const database = await new Promise<IDBDatabase>((resolve, reject) => {
    const request = indexedDB.open(databaseName);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  const transaction = database.transaction('adapters', 'readwrite');
  transaction.objectStore('adapters').put(record, 'a');
  await new Promise((resolve) => {
    transaction.oncomplete = resolve;
  });
  database.close();
}

async function withoutDatabase({ databaseName, version }: Visit): Promise<object> {
  const path = '/src/store/tuning.ts';
  const { createTuningStore } = (await import(path)) as typeof import('../../src/store/tuning');
  const { open } = IDBFactory.prototype;
  IDBFactory.prototype.open = () => {
    throw new DOMException('not allowed', 'SecurityError');
  };
  try {
    const store = createTuningStore({ databaseName, version });
    await store.add('a', { rates: undefined, choices: new Map() });
    await store.clear();
    return Object.fromEntries(await store.read());
  } finally {
    IDBFactory.prototype.open = open;
  }
}
