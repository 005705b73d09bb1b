// The one error type that leaves Lepton. Every failure carries a stable `code` to branch on and a
// message that names the thing at fault, what was expected, and what to do about it.

/** Stable codes: callers may switch on them; a code is never renamed or given another meaning. */
export type LeptonErrorCode =
  | 'ABORTED' // an AbortSignal fired
  | 'CACHE_CORRUPT' // the store's bytes do not match their digests and cannot be fetched again
  | 'DEVICE_LOST' // the GPU device was lost and rebuilding it did not help
  | 'DISPOSED' // a model or tensor was used after dispose()
  | 'GPU_ERROR' // WebGPU reported a validation or internal error
  | 'INTEGRITY_MISMATCH' // the downloaded bytes do not have the expected digest
  | 'INTERNAL' // a defect of Lepton itself; please report it
  | 'INVALID_ARGUMENT' // an option or argument is not of the documented form
  | 'INVALID_DATA' // a data file or data set is damaged, or its values are not what was promised
  | 'INVALID_INPUT' // a fed tensor has the wrong name, type, shape or length
  | 'INVALID_MODEL' // the bytes are not a well-formed model
  | 'NETWORK' // a download failed
  | 'NOT_FINITE' // training met a loss or a gradient that is no number, or infinite
  | 'NO_ADAPTER' // WebGPU exists, but offers no adapter
  | 'NO_WEBGPU' // the browser has no WebGPU
  | 'OUT_OF_MEMORY' // the GPU could not allocate what the plan needs
  | 'STORAGE_QUOTA' // the origin's storage quota does not suffice
  | 'UNSUPPORTED_MODEL' // well-formed, but needs an operator, type or size Lepton lacks
  | 'UNSUPPORTED_OPERATION' // a valid request that this backend or browser cannot fulfil
  | 'WORKER_FAILED'; // the worker could not start

export interface LeptonErrorOptions {
  cause?: unknown;
  /** Structured facts for programs: node, tensor, offset, expected, got … */
  details?: Readonly<Record<string, unknown>>;
}

export class LeptonError extends Error {
  override readonly name = 'LeptonError';
  readonly code: LeptonErrorCode;
  readonly details: Readonly<Record<string, unknown>>;

  /**
   * By name: library, worker and compiler are bundles of their own, each with its copy of this class. Derived
   * classes never leave their bundle.
   */
  static override [Symbol.hasInstance](value: unknown): boolean {
    // biome-ignore lint/complexity/noThisInStatic: a derived class inherits this, and means itself
    if (this !== LeptonError) return Function.prototype[Symbol.hasInstance].call(this, value);
    return value instanceof Error && value.name === 'LeptonError' && 'code' in value;
  }

  constructor(code: LeptonErrorCode, message: string, options: LeptonErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details ?? {};
  }
}

/** Throws `ABORTED` if the signal has fired. Call it between the parts of anything that takes long. */
export function throwIfAborted(signal: AbortSignal | undefined, what: string): void {
  if (signal?.aborted) throw abortError(signal, what);
}

export function abortError(signal: AbortSignal, what: string): LeptonError {
  return new LeptonError('ABORTED', `${what} was aborted.`, { cause: signal.reason });
}
