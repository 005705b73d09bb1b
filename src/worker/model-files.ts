// The files of one model: the model itself and its external data, each from the store, the network or
// memory. They stay open while the model lives, since a new shape or a lost device reads weights again.

import type { ByteSource } from '../base/bytes';
import { LeptonError } from '../base/errors';
import { blobSource, type Derived, type OpenFile, verifyIntegrity, type WeightStore } from '../store';
import type { LoadRequest, Origin, Progress } from './protocol';

type Location = LoadRequest['source'] | LoadRequest['externalData'][string];

export class ModelFiles {
  private readonly byName = new Map<string, OpenFile>();
  private readonly sources = new Map<string, ByteSource>();
  private readonly loaded = new Map<string, { loaded: number; total: number | undefined }>();

  constructor(
    private readonly store: WeightStore,
    private readonly request: Pick<LoadRequest, 'source' | 'externalData' | 'cache' | 'integrity'>,
    private readonly signal: AbortSignal,
    private readonly onProgress: (progress: Progress) => void,
  ) {}

  /**
   * Opens the model's own file.
   * @param onMissing called as soon as it is certain that the store does not have it
   */
  async openModel(onMissing: () => void): Promise<ByteSource> {
    return this.add('', this.request.source, onMissing);
  }

  /** What Lepton's `build` keeps beside the model's own file; undefined where that is not stored. */
  derived(build: string): Derived | undefined {
    return this.byName.get('')?.derived(build);
  }

  /** What tells the files of external data from others of the same names; undefined where nothing does. */
  identities(): readonly string[] | undefined {
    const ids = [...this.sources.keys()].filter((name) => name !== '').map((name) => this.byName.get(name)?.id);
    return ids.every((id) => id !== undefined) ? ids : undefined;
  }

  /**
   * Opens the external data files, beside the model where the caller gave no other place.
   * @throws INVALID_ARGUMENT naming the file where a model from memory refers to one that was not given
   */
  async openExternal(names: readonly string[]): Promise<void> {
    const missing = names.filter((name) => !this.sources.has(name));
    await Promise.all(missing.map((name) => this.add(name, this.request.externalData[name] ?? this.beside(name))));
  }

  source(name: string): ByteSource {
    return this.sources.get(name) as ByteSource;
  }

  /** All bytes have arrived and passed their checks. */
  async complete(): Promise<void> {
    await Promise.all([...this.byName.values()].map((file) => file.complete));
  }

  get origin(): Origin {
    if (this.byName.size === 0) return 'memory';
    return [...this.byName.values()].some((file) => file.origin === 'network') ? 'network' : 'store';
  }

  get bytes(): number {
    return [...this.sources.values()].reduce((sum, source) => sum + (source.size ?? 0), 0);
  }

  close(): void {
    for (const file of this.byName.values()) file.close();
  }

  private async add(name: string, location: Location, onMissing = () => {}): Promise<ByteSource> {
    if (!('url' in location)) onMissing();
    const source = 'url' in location ? await this.download(name, location.url, onMissing) : blobSource(location.blob);
    const { integrity } = this.request;
    if (name === '' && 'blob' in location && integrity !== undefined) {
      await verifyIntegrity(source, integrity, 'The model given', this.signal);
    }
    this.sources.set(name, source);
    return source;
  }

  private async download(name: string, url: string, onMissing: () => void): Promise<ByteSource> {
    const file = await this.store.open(url, {
      cache: this.request.cache,
      signal: this.signal,
      onMissing,
      // The digest is that of the model's own file; external data has none of its own in the options.
      integrity: name === '' ? this.request.integrity : undefined,
      onProgress: ({ loaded, total, origin }) => {
        this.loaded.set(name, { loaded, total });
        const files = [...this.loaded.values()];
        const known = files.every((f) => f.total !== undefined);
        this.onProgress({
          stage: 'download',
          loaded: files.reduce((sum, f) => sum + f.loaded, 0),
          total: known ? files.reduce((sum, f) => sum + (f.total ?? 0), 0) : undefined,
          origin,
        });
      },
    });
    this.byName.set(name, file);
    return file;
  }

  private beside(name: string): Location {
    const { source } = this.request;
    if ('url' in source) return { url: new URL(name, source.url).href };
    throw new LeptonError(
      'INVALID_ARGUMENT',
      `The model keeps weights in the file "${name}". Pass it: load(model, { externalData: { ${JSON.stringify(name)}: fileOrUrl } }).`,
      { details: { file: name } },
    );
  }
}
