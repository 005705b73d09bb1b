// Where a model's files are, as callers say it and as the worker takes it.

import { LeptonError } from '../base/errors';
import type { LoadRequest } from '../worker/protocol';
import { compilerUrl } from './compiler-url';

export type ModelSource = URL | string | File | Blob | ArrayBuffer | Uint8Array<ArrayBuffer>;

export interface SourceOptions {
  /** Whether files from URLs are kept in IndexedDB and taken from there. Default true. */
  cache?: boolean;
  /** Digest that the model file must have, as in `<script integrity>`: 'sha256-…' in base64. */
  integrity?: string;
  /** Places of external data files, by the name the model gives them. Default: beside the model's URL. */
  externalData?: Readonly<Record<string, URL | string | Blob | ArrayBuffer>>;
}

export type ModelFilesRequest = Pick<LoadRequest, 'source' | 'externalData' | 'compilerUrl' | 'cache' | 'integrity'>;

/** @param caller for errors: 'load()' */
export function modelFilesOf(source: ModelSource, options: SourceOptions, caller: string): ModelFilesRequest {
  const location = locationOf(source, 'source', caller);
  return {
    source: 'url' in location ? location : { ...location, name: source instanceof File ? source.name : 'model' },
    externalData: Object.fromEntries(
      Object.entries(options.externalData ?? {}).map(([name, place]) => [
        name,
        locationOf(place, `externalData["${name}"]`, caller),
      ]),
    ),
    compilerUrl: compilerUrl(),
    cache: options.cache ?? true,
    ...(options.integrity !== undefined && { integrity: options.integrity }),
  };
}

function locationOf(place: unknown, what: string, caller: string): { url: string } | { blob: Blob } {
  if (place instanceof URL) return { url: fetchable(place, what, caller) };
  if (typeof place === 'string') {
    // A URL it is, but that of the page.
    if (place.trim() === '') throw new LeptonError('INVALID_ARGUMENT', `${caller}: ${what} is an empty address.`);
    let url: URL;
    try {
      url = new URL(place, document.baseURI);
    } catch (cause) {
      throw new LeptonError('INVALID_ARGUMENT', `${caller}: ${what} "${place}" is not a URL.`, { cause });
    }
    return { url: fetchable(url, what, caller) };
  }
  if (place instanceof Blob) return { blob: place };
  if (place instanceof ArrayBuffer || place instanceof Uint8Array) return { blob: new Blob([place as BlobPart]) };
  throw new LeptonError(
    'INVALID_ARGUMENT',
    `${caller}: ${what} must be a URL, a string, a File, a Blob or an ArrayBuffer.`,
  );
}

function fetchable({ href, protocol }: URL, what: string, caller: string): string {
  if (protocol !== 'file:') return href;
  throw new LeptonError(
    'INVALID_ARGUMENT',
    `${caller}: ${what} is ${href}, which browsers let no page fetch. Serve the folder by HTTP (npx http-server), or pass the file itself: a File or an ArrayBuffer.`,
  );
}
