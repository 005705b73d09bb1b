// What page and worker say to each other of models to be compressed: types only.

import type { PowerPreference } from '../base/adapter';
import type { CompressOptions, CompressProgress, CompressReport } from '../compress/types';
import type { CallId, LoadRequest, Reply, WireTensor } from './protocol';

export interface CompressRequest {
  readonly model: Pick<LoadRequest, 'source' | 'externalData' | 'compilerUrl' | 'cache' | 'integrity'>;
  /** Where the part of the library is that trains, and compresses. */
  readonly trainerUrl: string;
  readonly options: CompressOptions;
  readonly calibration?: {
    /** One tensor alone is for the model's only input. */
    readonly inputs: WireTensor | Readonly<Record<string, WireTensor>>;
    readonly labels?: readonly number[];
    readonly output?: string;
  };
  readonly powerPreference?: PowerPreference;
}

export interface CompressedModel {
  /** The model as an ONNX file. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly report: CompressReport;
  /** The report as a page of its own. */
  readonly html: string;
}

export interface CompressApi {
  compress(
    call: CallId,
    request: CompressRequest,
    onProgress?: (progress: CompressProgress) => void,
  ): Promise<Reply<CompressedModel>>;
}
