// The workbench of kernel tuning: makes a contestant's plan real, with noise in place of inputs and weights, and
// times it. Contestants that pack the same weights the same way share them.

import { LeptonError } from '../base/errors';
import type { Device } from '../gpu/device';
import { Executable } from '../gpu/executable';
import { scoped } from '../gpu/scopes';
import { Stopwatch } from '../gpu/stopwatch';
import { Weights } from '../gpu/weights';
import type { Prepared, Runner } from '../tune/strategy';
import { deviceNoise, noiseSource } from './tuning-noise';
import type { Contestant } from './tuning-problems';

/** Contestants that take more memory than this are not measured: several of them are there at once. */
const mostBytes = 256 << 20;

export class Workbench implements Runner<Contestant> {
  private readonly stopwatch: Stopwatch;
  private readonly weights = new Weights();

  constructor(private readonly device: Device) {
    this.stopwatch = new Stopwatch(device);
  }

  /** Undefined where the contestant does not compile, or is too large. @throws what a lost device makes of it */
  async prepare(contestant: Contestant): Promise<Prepared | undefined> {
    const executable = await this.create(contestant);
    if (!executable) return undefined;
    this.fill(executable);
    return {
      measure: (limit) => this.stopwatch.measure(executable, limit),
      dispose: () => executable.dispose(),
    };
  }

  dispose(): void {
    this.stopwatch.dispose();
    this.weights.destroyIdle();
  }

  private async create(contestant: Contestant): Promise<Executable | undefined> {
    let executable: Executable | undefined;
    try {
      const plan = contestant.plan();
      if (plan.steps.length === 0 || plan.buffers.reduce((sum, b) => sum + b.bytes, 0) > mostBytes) return undefined;
      executable = await Executable.create(this.device, plan, noiseSource, { weights: this.weights });
      await this.encode(executable);
      return executable;
    } catch (error) {
      executable?.dispose();
      if (error instanceof LeptonError && !this.device.lost) return undefined;
      throw error;
    }
  }

  /** Nothing is submitted. What is invalid would be over in no time, and win. @throws GPU_ERROR */
  private async encode(executable: Executable): Promise<void> {
    const { handle } = this.device;
    await scoped(handle, `measuring "${executable.plan.name}"`, 0, () => {
      const encoder = handle.createCommandEncoder({ label: 'Lepton.workbench' });
      const pass = encoder.beginComputePass();
      executable.dispatch(pass);
      pass.end();
      encoder.finish();
    });
  }

  private fill(executable: Executable): void {
    for (const input of executable.plan.inputs) {
      const buffer = executable.inputBuffer(input);
      const noise = deviceNoise(input.dtype);
      for (let offset = 0; offset < buffer.size; offset += noise.byteLength) {
        const length = Math.min(noise.byteLength, buffer.size - offset);
        this.device.handle.queue.writeBuffer(buffer, offset, noise, 0, length);
      }
    }
  }
}
