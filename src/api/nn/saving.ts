// Where models are saved to.

import { LeptonError } from '../../base/errors';

/** @throws INVALID_ARGUMENT */
export function placeOf(url: string): [scheme: string, name: string] {
  const [, scheme, name] = /^(indexeddb|downloads):\/\/(.+)$/.exec(url) ?? [];
  if (scheme && name) return [scheme, name];
  throw new LeptonError(
    'INVALID_ARGUMENT',
    `save(): "${url}" is no place to save to: use "indexeddb://name" or "downloads://name".`,
  );
}

/** Offers the visitor a file. */
export function download(bytes: Uint8Array<ArrayBuffer>, name: string): void {
  const url = URL.createObjectURL(new Blob([bytes]));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // The browser has begun to read by then.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
