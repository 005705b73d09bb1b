// The GPU devices of this worker, one for each power preference asked for, shared by all models. A lost
// device is replaced by a new one the next time somebody asks.

import type { PowerPreference } from '../base/adapter';
import { type Device, openDevice } from '../gpu/device';
import { ImageInput } from '../gpu/image-input';
import type { TuningStore } from '../store/tuning';
import { Tuner } from './tuner';

export interface SharedDevice {
  readonly device: Device;
  readonly images: ImageInput;
  readonly tuner: Tuner;
}

export class Devices {
  private readonly open = new Map<string, Promise<SharedDevice>>();

  /** @param tuning keeps what is measured of adapters */
  constructor(
    private readonly gpu: GPU | undefined,
    private readonly tuning?: TuningStore,
  ) {}

  async get(powerPreference?: PowerPreference): Promise<SharedDevice> {
    const key = powerPreference ?? '';
    const known = this.open.get(key);
    if (known) {
      const shared = await known.catch(() => undefined);
      if (shared && !shared.device.lost) return shared;
      // Whoever comes first replaces it; the others find the replacement.
      if (this.open.get(key) === known) this.open.delete(key);
      return this.get(powerPreference);
    }
    const opening = this.start(powerPreference);
    this.open.set(key, opening);
    opening.catch(() => {
      if (this.open.get(key) === opening) this.open.delete(key);
    });
    return opening;
  }

  private async start(powerPreference: PowerPreference | undefined): Promise<SharedDevice> {
    const known = this.tuning?.read();
    const device = await openDevice(this.gpu, powerPreference);
    return { device, images: new ImageInput(device), tuner: new Tuner(device, this.tuning, known) };
  }
}
