// The two ways a model can be refused: the bytes break ONNX's rules, or they ask for more than Lepton has.

import { LeptonError } from '../base/errors';

type Details = Readonly<Record<string, unknown>>;

export function malformed(message: string, details: Details = {}): LeptonError {
  return new LeptonError('INVALID_MODEL', message, { details });
}

export function unsupported(message: string, details: Details = {}): LeptonError {
  return new LeptonError('UNSUPPORTED_MODEL', message, { details });
}
