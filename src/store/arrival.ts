// How much of a file is there. A download advances it, readers wait on it. Invariant: the bytes
// [0, available) can be read; `available` falls only when a download starts over or its bytes are lost.

import { abortError, type LeptonError } from '../base/errors';

export class Arrival {
  #available = 0;
  #size: number | undefined;
  #ended = false;
  #failure: LeptonError | undefined;
  readonly #waiting = new Set<() => void>();

  get size(): number | undefined {
    return this.#size;
  }

  expect(size: number | undefined): void {
    this.#size = size;
    this.#wake();
  }

  reach(available: number): void {
    this.#available = available;
    this.#wake();
  }

  /** Nothing more will come: the file's size is what is there. */
  end(): void {
    this.#size = this.#available;
    this.#ended = true;
    this.#wake();
  }

  /** Nothing more will come, and whoever waits is told why. `lost` takes back what was there. */
  fail(failure: LeptonError, lost: boolean): void {
    this.#failure = failure;
    if (lost) {
      this.#available = 0;
      this.#ended = false;
    }
    this.#wake();
  }

  /**
   * Resolves once the bytes up to `end`, or to the end of the file if that is sooner, are there, with the
   * position reached. Rejects with the download's error, or ABORTED.
   */
  async wait(end: number, signal: AbortSignal | undefined, what: string): Promise<number> {
    for (;;) {
      if (signal?.aborted) throw abortError(signal, what);
      const wanted = Math.min(end, this.#size ?? Number.POSITIVE_INFINITY);
      if (this.#ended || this.#available >= wanted) return Math.min(wanted, this.#available);
      if (this.#failure) throw this.#failure;
      await this.#change(signal);
    }
  }

  #change(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#waiting.delete(wake);
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      this.#waiting.add(wake);
      signal?.addEventListener('abort', wake);
    });
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }
}
