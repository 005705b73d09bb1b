// What the pages remember from visit to visit, in localStorage. A browser may have none or forbid it (private windows, blocked
// site data, a full disk): then it is remembered as long as the page is open.

export type Remembered = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;

/** @param storage asked for at each use, for asking may throw */
export function remember(storage: () => Remembered = () => localStorage): Remembered {
  const here = new Map<string, string>();
  const attempt = <T>(use: (lasting: Remembered) => T): T | undefined => {
    try {
      return use(storage());
    } catch {
      return undefined;
    }
  };
  return {
    getItem: (key) => here.get(key) ?? attempt((lasting) => lasting.getItem(key)) ?? null,
    setItem(key, value) {
      here.set(key, value);
      attempt((lasting) => lasting.setItem(key, value));
    },
    removeItem(key) {
      here.delete(key);
      attempt((lasting) => lasting.removeItem(key));
    },
  };
}

export const remembered = remember();
