// Web Locks, as the store uses them: one exclusive lock per URL while it is downloaded, and one shared
// lock per stored file while somebody has it open. Both end with the page or worker that holds them.

export interface LockNames {
  /** Exclusive: the one download of this URL. */
  download(url: string): string;
  /** Shared by all who read the file with this id; exclusive for removing it under quota. */
  use(id: string): string;
}

export function lockNames(databaseName: string): LockNames {
  return {
    download: (url) => `${databaseName}:download:${url}`,
    use: (id) => `${databaseName}:use:${id}`,
  };
}

/**
 * Resolves with the function that releases the lock, or undefined if `ifAvailable` was asked for and it
 * is not. Rejects with the signal's reason when that fires while waiting.
 */
export function acquire(locks: LockManager, name: string, options: LockOptions): Promise<(() => void) | undefined> {
  return new Promise((resolve, reject) => {
    locks
      .request(name, options, (lock) => {
        if (!lock) return resolve(undefined);
        return new Promise<void>((release) => resolve(release));
      })
      .catch(reject);
  });
}
