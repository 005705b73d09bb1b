import { describe, expect, it } from 'vitest';
import { Tensor } from './tensor';

describe('tensors of types that no typed array holds', () => {
  it('take packed bytes, of which the dimensions say how many elements count', () => {
    expect(new Tensor('int4', Uint8Array.of(0x21, 0x03), [3]).size).toBe(3);
    expect(new Tensor('uint2', Uint8Array.of(0xe4), [2, 2]).dims).toEqual([2, 2]);
    expect(new Tensor('float4e2m1', Uint8Array.of(0x21, 0x03)).dims).toEqual([4]);
    expect(new Tensor('float8e5m2', Uint8Array.of(0x3c)).dims).toEqual([1]);
    expect(new Tensor('bfloat16', Uint16Array.of(0x3f80, 0)).dims).toEqual([2]);
  });

  it('refuse what does not fit, and lists of values', () => {
    expect(() => new Tensor('int4', Uint8Array.of(0x21, 0x03), [5])).toThrow('int4 [5] has 3 bytes, but 2 were given');
    expect(() => new Tensor('bfloat16', Float32Array.of(1) as never)).toThrow('takes Uint16Array');
    expect(() => new Tensor('uint4', [1, 2, 3])).toThrow('takes its bits in a Uint8Array');
  });
});

it('says that its memory is gone, whoever has taken it', () => {
  const tensor = new Tensor('float32', Float32Array.of(1, 2), [2]);
  structuredClone(tensor.data, { transfer: [tensor.data.buffer as ArrayBuffer] });
  expect(() => Tensor.toWire(tensor, false)).toThrow(/given away, by .* or by other code/);
});
