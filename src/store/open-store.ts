// Opens a database for the stores, as idb-keyval's createStore does, and copes with what that does not: a connection that
// is closed under us, and a request to open that fires no event, as where another tab blocks the database or it is damaged.
// Invariant: what was refused for being late is not done when the database opens after all; later calls find it open.

import { createStore, type UseStore } from 'idb-keyval';

/**
 * How long opening may take. In ticks, since those that a busy thread misses count as one: a database is not late
 * because nobody was there to hear that it had opened.
 */
const patience = { ticks: 5, milliseconds: 1000 } as const;

/** Opens nothing yet: the first call does, and rejects where IndexedDB is unavailable, or does not open in time. */
export function openStore(databaseName: string, storeName: string, tick: number = patience.milliseconds): UseStore {
  let store = createStore(databaseName, storeName);
  /** Opening was too late for somebody, and still goes on: whoever comes now need not wait as long to learn that. */
  let isStuck = false;

  const useInTime: UseStore = (mode, body) =>
    new Promise((resolve, reject) => {
      const refuse = () =>
        reject(
          new DOMException(`the database "${databaseName}" does not open; another tab may block it`, 'TimeoutError'),
        );
      if (isStuck) return refuse();
      let ticks = 0;
      let isLate = false;
      let isOpen = false;
      const timer = setInterval(() => {
        if (++ticks < patience.ticks) return;
        clearInterval(timer);
        isLate = isStuck = true;
        refuse();
      }, tick);
      const ended = () => {
        clearInterval(timer);
        if (isLate) isStuck = false;
      };
      const settle = (error: unknown) => {
        ended();
        // idb-keyval keeps a request that failed: another try opens anew.
        if (!isOpen) store = createStore(databaseName, storeName);
        reject(error);
      };
      const work: typeof body = (objects) => {
        isOpen = true;
        ended();
        if (isLate) throw new DOMException('too late', 'AbortError');
        return body(objects);
      };
      // Where IndexedDB is forbidden, it throws at once.
      try {
        store(mode, work).then(resolve, settle);
      } catch (error) {
        settle(error);
      }
    });

  return async (mode, body) => {
    try {
      return await useInTime(mode, body);
    } catch (error) {
      // Firefox closes the connection of one whose write ran into the quota, and idb-keyval learns of that only by
      // an event that comes later.
      if (!(error instanceof DOMException && error.name === 'InvalidStateError')) throw error;
      store = createStore(databaseName, storeName);
      return useInTime(mode, body);
    }
  };
}
