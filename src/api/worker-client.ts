// Starts the worker and talks to it. There is one worker a page for every worker script asked for, so
// that models share a device and tensors on the GPU pass from one to the other.

import { type Remote, transfer, wrap } from 'comlink';
import { abortError, LeptonError } from '../base/errors';
import { readyMessage } from '../base/handshake';
import InlineWorker from '../worker/main?worker&inline';
import type { CallId, Reply, WireFeed } from '../worker/protocol';
import type { WorkerApi } from '../worker/worker-api';

/** A blocked worker fails by an event, or not at all where a header is missing. In milliseconds. */
const startTimeout = { inline: 10_000, fetched: 60_000 } as const;

export class WorkerClient {
  /** Rejects where the worker does not start. */
  readonly started: Promise<void>;
  private isUp = false;
  /** Takes calls at once: they wait in the worker's queue until it has started. Absent where it was refused. */
  private readonly worker: Remote<WorkerApi> | undefined;
  private nextCall: CallId = 1;
  /** Frees what the page forgot to dispose of. */
  private readonly forgotten = new FinalizationRegistry<number>((id) => void this.free(id));

  constructor(workerUrl: string | URL | undefined) {
    let worker: Worker;
    try {
      worker = create(workerUrl);
    } catch (error) {
      this.started = Promise.reject(error);
      return;
    }
    this.worker = wrap<WorkerApi>(worker);
    this.started = ready(worker, workerUrl).then(
      () => {
        this.isUp = true;
      },
      (error: unknown) => {
        worker.terminate();
        throw error;
      },
    );
  }

  /** Calls the worker and unwraps its reply; a failed start fails every call. */
  async call<A, T>(method: (worker: Remote<WorkerApi>, argument: A) => Promise<Reply<T>>, argument: A): Promise<T> {
    return unwrap(await this.answer((worker) => method(worker, argument)));
  }

  /**
   * As `call`, for calls that can be aborted by their number. An abort rejects at once, whatever the worker
   * is busy with; `discard` frees what it answers all the same.
   */
  async abortable<T>(
    signal: AbortSignal | undefined,
    what: string,
    method: (worker: Remote<WorkerApi>, call: CallId) => Promise<Reply<T>>,
    discard: (worker: Remote<WorkerApi>, value: T) => void = () => {},
  ): Promise<T> {
    if (signal?.aborted) throw abortError(signal, what);
    const call = this.nextCall++;
    const answer = this.answer((worker) => method(worker, call));
    if (!signal) return unwrap(await answer);
    return new Promise((resolve, reject) => {
      const abort = () => {
        void this.worker?.abort(call);
        reject(abortError(signal, what));
      };
      signal.addEventListener('abort', abort, { once: true });
      answer.then((reply) => {
        signal.removeEventListener('abort', abort);
        if (signal.aborted && reply.ok && this.worker) discard(this.worker, reply.value);
        try {
          resolve(unwrap(reply));
        } catch (error) {
          reject(error);
        }
      }, reject);
    });
  }

  watch(tensor: object, id: number): void {
    this.forgotten.register(tensor, id, tensor);
  }

  release(tensor: object, id: number): void {
    this.forgotten.unregister(tensor);
    void this.free(id);
  }

  private async free(id: number): Promise<void> {
    await this.worker?.disposeTensor(id);
  }

  /** The worker's answer; one that does not start gives none. */
  private async answer<T>(ask: (worker: Remote<WorkerApi>) => Promise<Reply<T>>): Promise<Reply<T>> {
    if (!this.worker) return this.started as Promise<never>;
    const asked = ask(this.worker);
    if (this.isUp) return asked;
    return Promise.race([asked, this.started.then(() => asked)]);
  }
}

const clients = new Map<string, WorkerClient>();

export function defaultClient(workerUrl?: string | URL): WorkerClient {
  const key = workerUrl === undefined ? '' : String(workerUrl);
  let client = clients.get(key);
  if (!client) {
    client = new WorkerClient(workerUrl);
    clients.set(key, client);
    // What kept the worker from starting may have passed when somebody asks again.
    client.started.catch(() => clients.delete(key));
  }
  return client;
}

/** Marks the memory of feeds to be moved to the worker instead of being copied. */
export function withTransfer<T extends { readonly feeds: Readonly<Record<string, WireFeed>> }>(request: T): T {
  const memory = Object.values(request.feeds).flatMap((feed): Transferable[] =>
    'bytes' in feed ? [feed.bytes.buffer] : 'bitmap' in feed ? [feed.bitmap] : [],
  );
  // One tensor may be fed to several inputs.
  return transfer(request, [...new Set(memory)]);
}

function unwrap<T>(reply: Reply<T>): T {
  if (reply.ok) return reply.value;
  const { code, message, details } = reply.error;
  throw new LeptonError(code, message, { details });
}

function create(workerUrl: string | URL | undefined): Worker {
  try {
    return workerUrl === undefined ? new InlineWorker() : new Worker(workerUrl);
  } catch (cause) {
    throw blocked(workerUrl, (cause as Error).message, cause);
  }
}

function ready(worker: Worker, workerUrl: string | URL | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const patience = workerUrl === undefined ? startTimeout.inline : startTimeout.fetched;
    const timer = setTimeout(() => reject(blocked(workerUrl, 'it did not answer')), patience);
    const end = (settle: () => void) => {
      clearTimeout(timer);
      worker.onmessage = null;
      worker.onerror = null;
      settle();
    };
    worker.onmessage = ({ data }) => {
      if (data === readyMessage) end(resolve);
    };
    worker.onerror = (event) => {
      event.preventDefault();
      end(() => reject(blocked(workerUrl, event.message || 'the browser refused it')));
    };
  });
}

function blocked(workerUrl: string | URL | undefined, why: string, cause?: unknown): LeptonError {
  const advice =
    workerUrl === undefined
      ? "A Content-Security-Policy without `worker-src blob:` or with Trusted Types forbids the built-in worker: serve Lepton's `worker.js` from the page's own origin and pass { workerUrl: '/worker.js' } to load(), and where models are trained to build(), loadModel() and loadLayer()."
      : "A worker script must come from the page's own origin and be allowed by its Content-Security-Policy; " +
        'under Trusted Types, workerUrl must be a TrustedScriptURL.';
  return new LeptonError(
    'WORKER_FAILED',
    `The worker${workerUrl === undefined ? '' : ` ${workerUrl}`} could not start: ${why.replace(/\.$/, '')}. ${advice}`,
    { cause, details: { workerUrl: workerUrl && String(workerUrl) } },
  );
}
