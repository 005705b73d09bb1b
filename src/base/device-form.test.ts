import { describe, expect, it } from 'vitest';
import { conversionUnit, fromDevice, toDevice } from './device-form';
import { bitSize, type DeviceType, type DType, deviceType, dtypes } from './dtype';
import { LeptonError } from './errors';
import { decode, encode, ndarray } from './ndarray';

const tensor = (dtype: DType, device: DeviceType, count: number, mayOverflow = false) => ({
  name: 't',
  dtype,
  device,
  dims: [count],
  mayOverflow,
});
const bytesOf = (array: ArrayBufferView<ArrayBuffer>) => new Uint8Array(array.buffer);

describe('device form', () => {
  it('narrows int64, and refuses what does not fit by name and place', () => {
    const narrow = toDevice('int64', 'int32', bytesOf(BigInt64Array.of(-5n, 7n)), 'w');
    expect([...new Int32Array(narrow.buffer)]).toEqual([-5, 7]);
    expect(() => toDevice('int64', 'int32', bytesOf(BigInt64Array.of(0n, 2n ** 31n)), 'w')).toThrow(LeptonError);
    expect(() => toDevice('int64', 'int32', bytesOf(BigInt64Array.of(0n, 2n ** 31n)), 'w')).toThrow(/Element 1.*"w"/);
  });

  it('comes back as it went, for every pair of types', () => {
    const own = dtypes.filter((d) => d !== 'float64').map((dtype) => [dtype, deviceType(dtype)] as const);
    for (const [from, to] of [
      ...own,
      ['float16', 'float32'],
      ['float32', 'float16'],
      ['float64', 'float32'],
    ] as const) {
      const array = ndarray(from, [5], [1, 0.5, 1, 2, 1].map(from.includes('int') ? Math.trunc : Number));
      if (/^(uint2|int2|bool)$/.test(from)) array.data[3] = 1;
      if (from === 'float8e8m0') array.data.fill(0.25);
      const device = toDevice(from, to, encode(array), 'w');
      expect(device.byteLength % 4).toBe(0);
      expect(decode(from, [5], fromDevice(tensor(from, to, 5), device))).toEqual(array);
    }
  });

  it('converts in units that end on a word, whatever the pieces', () => {
    for (const [from, to] of [
      ['float16', 'float32'],
      ['float32', 'float16'],
      ['int64', 'int32'],
      ['uint8', 'uint8'],
      ['float64', 'float16'],
      ...dtypes.filter((d) => d !== 'float64').map((dtype) => [dtype, deviceType(dtype)] as const),
    ] as const) {
      const unit = Math.max(4, conversionUnit(from, to));
      const device = toDevice(from, to, new Uint8Array(unit), 'w');
      const elements = fromDevice(tensor(from, to, (unit * 8) / bitSize(from)), device);
      expect(elements.byteLength).toBe(unit);
      expect(device.byteLength % 4).toBe(0);
    }
  });

  it('refuses to read what 64-bit arithmetic marked as beyond 32 bits, and only that', () => {
    const low = bytesOf(Int32Array.of(5, -(2 ** 31)));
    expect(decode('int64', [2], fromDevice(tensor('int64', 'int32', 2), low)).data[1]).toBe(-(2 ** 31));
    expect(() => fromDevice(tensor('int64', 'int32', 2, true), low)).toThrow(/Element 1.*"t"/);
    const high = bytesOf(Uint32Array.of(2 ** 32 - 1));
    expect(() => fromDevice(tensor('uint64', 'uint32', 1, true), high)).toThrow(LeptonError);
  });
});
