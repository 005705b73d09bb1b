// The GPU devices of this worker, one for each power preference asked for, shared by all models. A lost
// device is replaced by a new one the next time somebody asks.

import { type Device, openDevice } from '../gpu/device';
import { ImageInput } from '../gpu/image-input';

export interface SharedDevice {
  readonly device: Device;
  readonly images: ImageInput;
}

export class Devices {
  private readonly open = new Map<string, Promise<SharedDevice>>();

  constructor(private readonly gpu: GPU | undefined) {}

  async get(powerPreference?: GPUPowerPreference): Promise<SharedDevice> {
    const key = powerPreference ?? '';
    const known = this.open.get(key);
    if (known) {
      const shared = await known.catch(() => undefined);
      if (shared && !shared.device.lost) return shared;
      // Whoever comes first replaces it; the others find the replacement.
      if (this.open.get(key) === known) this.open.delete(key);
      return this.get(powerPreference);
    }
    const opening = openDevice(this.gpu, powerPreference).then((device) => ({
      device,
      images: new ImageInput(device),
    }));
    this.open.set(key, opening);
    opening.catch(() => {
      if (this.open.get(key) === opening) this.open.delete(key);
    });
    return opening;
  }
}
