// Times the dispatches of an executable, repeated within one pass: by timestamps where the adapter has them, else
// by waiting for the queue. Browsers round timestamps to 0.1 ms, so a measurement lasts some milliseconds.

import type { Device } from './device';
import type { Executable } from './executable';
import { mapForReading, noticed } from './map';

/** Milliseconds that a measurement must last to be trusted, and repetitions that it may take for that. */
const least = 5;
const mostRepeats = 4096;

export class Stopwatch {
  private readonly query: { set: GPUQuerySet; resolved: GPUBuffer; staging: GPUBuffer } | undefined;

  constructor(private readonly device: Device) {
    const { handle, profile } = device;
    if (!profile.features.includes('timestamp-query')) return;
    const buffer = (usage: number) => handle.createBuffer({ label: 'Lepton.stopwatch', size: 16, usage });
    this.query = {
      set: handle.createQuerySet({ label: 'Lepton.stopwatch', type: 'timestamp', count: 2 }),
      resolved: buffer(GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC),
      staging: buffer(GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST),
    };
  }

  /**
   * Milliseconds of one execution of the plan's dispatches on the buffers as they are.
   * @param limit answers roughly where a single execution takes longer
   */
  async measure(executable: Executable, limit = Number.POSITIVE_INFINITY): Promise<number> {
    const once = await this.lap(executable, 1);
    if (once > limit) return once;
    for (let repeats = once >= least ? 1 : 4; ; ) {
      const lap = await this.lap(executable, repeats);
      if (lap >= least || repeats >= mostRepeats) return lap / repeats;
      // Some more than it seems to need, or the next lap may just miss it, but no leap on a rounded figure.
      const wanted = Math.ceil((1.25 * least * repeats) / Math.max(lap, 0.1));
      repeats = Math.min(mostRepeats, Math.max(2 * repeats, Math.min(16 * repeats, wanted)));
    }
  }

  dispose(): void {
    this.query?.set.destroy();
    this.query?.resolved.destroy();
    this.query?.staging.destroy();
  }

  private async lap(executable: Executable, repeats: number): Promise<number> {
    const { handle } = this.device;
    const { query } = this;
    const encoder = handle.createCommandEncoder({ label: 'Lepton.stopwatch' });
    const pass = encoder.beginComputePass(
      query && {
        timestampWrites: { querySet: query.set, beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 },
      },
    );
    for (let i = 0; i < repeats; i++) executable.dispatch(pass);
    pass.end();
    if (!query) {
      const start = performance.now();
      handle.queue.submit([encoder.finish()]);
      await noticed(handle, handle.queue.onSubmittedWorkDone());
      return performance.now() - start;
    }
    encoder.resolveQuerySet(query.set, 0, 2, query.resolved, 0);
    encoder.copyBufferToBuffer(query.resolved, 0, query.staging, 0, 16);
    handle.queue.submit([encoder.finish()]);
    const stamps = new BigInt64Array(await mapForReading(handle, query.staging));
    const [from, to] = stamps as unknown as [bigint, bigint];
    const time = Number(to - from) / 1e6;
    query.staging.unmap();
    return Math.max(0, time);
  }
}
