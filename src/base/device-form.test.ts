import { describe, expect, it } from 'vitest';
import { conversionUnit, fromDevice, toDevice } from './device-form';
import { LeptonError } from './errors';
import { decode, encode, ndarray } from './ndarray';

const bytesOf = (array: ArrayBufferView<ArrayBuffer>) => new Uint8Array(array.buffer);

describe('device form', () => {
  it('narrows int64, and refuses what does not fit by name and place', () => {
    const narrow = toDevice('int64', 'int32', bytesOf(BigInt64Array.of(-5n, 7n)), 'w');
    expect([...new Int32Array(narrow.buffer)]).toEqual([-5, 7]);
    expect(() => toDevice('int64', 'int32', bytesOf(BigInt64Array.of(0n, 2n ** 31n)), 'w')).toThrow(LeptonError);
    expect(() => toDevice('int64', 'int32', bytesOf(BigInt64Array.of(0n, 2n ** 31n)), 'w')).toThrow(/Element 1.*"w"/);
  });

  it('comes back as it went, for every pair of types', () => {
    const values = [1, -2, 0.5, 1024, 3];
    for (const [from, to] of [
      ['float16', 'float32'],
      ['float32', 'float16'],
      ['int64', 'int32'],
    ] as const) {
      const array = ndarray(from, [5], from === 'int64' ? values.map(Math.trunc) : values);
      const device = toDevice(from, to, encode(array), 'w');
      expect(device.byteLength % 4).toBe(0);
      expect(decode(from, [5], fromDevice(to, from, device, 5))).toEqual(array);
    }
  });

  it('converts in units that end on a word, whatever the pieces', () => {
    for (const [from, to] of [
      ['float16', 'float32'],
      ['float32', 'float16'],
      ['int64', 'int32'],
      ['uint8', 'uint8'],
    ] as const) {
      const unit = Math.max(4, conversionUnit(from, to));
      const device = toDevice(from, to, new Uint8Array(unit), 'w');
      const elements = fromDevice(to, from, device, unit / encode(ndarray(from, [1])).byteLength);
      expect(elements.byteLength).toBe(unit);
      expect(device.byteLength % 4).toBe(0);
    }
  });
});
