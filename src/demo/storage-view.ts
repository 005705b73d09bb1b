// The storage section: how much the library keeps in IndexedDB, and the button that empties it.

import { cache } from '../api';
import { setText } from './dom';
import { bytes, plural } from './format';

export async function showStorage(): Promise<void> {
  const models = await cache.list();
  const { bytes: used } = await cache.usage();
  const note =
    models.length === 0
      ? 'Nothing yet. Weights are kept in IndexedDB, so a second visit needs no network.'
      : `${plural(models.length, 'model')}, ${bytes(used)} in IndexedDB: the next visit needs no network for them.`;
  setText('storage-note', note);
}

export async function forgetAll(): Promise<void> {
  await cache.clear();
  await showStorage();
}
