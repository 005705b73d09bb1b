// Whether a failure is that of a device that is gone.

import type { Device } from './device';

/** A loss is reported some time after the calls that fail because of it. In milliseconds. */
const reportDelay = 100;

export async function wasLost(device: Device): Promise<boolean> {
  if (!device.lost)
    await Promise.race([device.handle.lost, new Promise((resolve) => setTimeout(resolve, reportDelay))]);
  return device.lost !== undefined;
}
