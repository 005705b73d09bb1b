// The files of one model: the model itself and its external data, each from the store, the network or
// memory. They stay open while the model lives, since a new shape or a lost device reads weights again.

import type { ByteSource } from '../base/bytes';
import { LeptonError } from '../base/errors';
import { blobSource, type OpenFile, verifyIntegrity, type WeightStore } from '../store';
import type { LoadRequest, Origin, Progress } from './protocol';

type Location = LoadRequest['source'] | LoadRequest['externalData'][string];

export class ModelFiles {
  private readonly open: OpenFile[] = [];
  private readonly sources = new Map<string, ByteSource>();
  private readonly loaded = new Map<string, { loaded: number; total: number | undefined }>();

  constructor(
    private readonly store: WeightStore,
    private readonly request: LoadRequest,
    private readonly signal: AbortSignal,
    private readonly onProgress: (progress: Progress) => void,
  ) {}

  /** Opens the model's own file. */
  async openModel(): Promise<ByteSource> {
    return this.add('', this.request.source);
  }

  /**
   * Opens the external data files, beside the model where the caller gave no other place.
   * @throws INVALID_ARGUMENT naming the file where a model from memory refers to one that was not given
   */
  async openExternal(names: readonly string[]): Promise<void> {
    await Promise.all(names.map((name) => this.add(name, this.request.externalData[name] ?? this.beside(name))));
  }

  source(name: string): ByteSource {
    return this.sources.get(name) as ByteSource;
  }

  /** All bytes have arrived and passed their checks. */
  async complete(): Promise<void> {
    await Promise.all(this.open.map((file) => file.complete));
  }

  get origin(): Origin {
    if (this.open.length === 0) return 'memory';
    return this.open.some((file) => file.origin === 'network') ? 'network' : 'store';
  }

  get bytes(): number {
    return [...this.sources.values()].reduce((sum, source) => sum + (source.size ?? 0), 0);
  }

  close(): void {
    for (const file of this.open) file.close();
  }

  private async add(name: string, location: Location): Promise<ByteSource> {
    const source = 'url' in location ? await this.download(name, location.url) : blobSource(location.blob);
    const { integrity } = this.request;
    if (name === '' && 'blob' in location && integrity !== undefined) {
      await verifyIntegrity(source, integrity, 'The model given', this.signal);
    }
    this.sources.set(name, source);
    return source;
  }

  private async download(name: string, url: string): Promise<ByteSource> {
    const file = await this.store.open(url, {
      cache: this.request.cache,
      signal: this.signal,
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
    this.open.push(file);
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
