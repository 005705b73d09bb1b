// Plain data as bytes and back: JSON, with the byte arrays in it behind the text. Plans go into the store in this
// form, where a digest can vouch for them.

const alignment = 8;

/** @param value objects, arrays, strings, numbers, booleans and Uint8Arrays; properties that are undefined are left out */
export function toBytes(value: unknown): Uint8Array<ArrayBuffer> {
  const arrays: Uint8Array[] = [];
  let length = 0;
  const text = JSON.stringify(value, (_, v: unknown) => {
    if (v instanceof Uint8Array) {
      const place = { $bytes: [length, v.byteLength] };
      arrays.push(v);
      length += Math.ceil(v.byteLength / alignment) * alignment;
      return place;
    }
    // What JSON has no number for.
    if (typeof v === 'number' && (!Number.isFinite(v) || Object.is(v, -0)))
      return { $number: Object.is(v, -0) ? '-0' : String(v) };
    return v;
  });
  const head = new TextEncoder().encode(text);
  const start = Math.ceil((4 + head.byteLength) / alignment) * alignment;
  const bytes = new Uint8Array(start + length);
  new DataView(bytes.buffer).setUint32(0, head.byteLength, true);
  bytes.set(head, 4);
  let at = start;
  for (const array of arrays) {
    bytes.set(array, at);
    at += Math.ceil(array.byteLength / alignment) * alignment;
  }
  return bytes;
}

/** The byte arrays are views of `bytes`. */
export function fromBytes(bytes: Uint8Array<ArrayBuffer>): unknown {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const start = Math.ceil((4 + length) / alignment) * alignment;
  return JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)), (_, v: unknown) => {
    if (typeof v !== 'object' || v === null) return v;
    if ('$bytes' in v) {
      const [offset, size] = v.$bytes as [number, number];
      return bytes.subarray(start + offset, start + offset + size);
    }
    return '$number' in v ? Number(v.$number) : v;
  });
}
