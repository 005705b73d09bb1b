// Opens a model: from what an earlier visit left in the store where it did, else by reading it. Reading needs the
// compiler, which is fetched only then.

import { type Blueprint, blueprintOf, lazyBlueprint, type ReadModel } from './blueprint';
import { build } from './build';
import type { Compiler } from './compiler';
import type { ModelFiles } from './model-files';
import { findSummary, PlanCache } from './plan-cache';
import type { LoadRequest } from './protocol';

export interface OpenModelOptions {
  readonly request: LoadRequest;
  readonly compilerFrom: (url: string) => Promise<Compiler>;
  readonly signal: AbortSignal;
}

export interface OpenedModel {
  readonly blueprint: Blueprint;
  /** Where the model's plans are kept; undefined where its files are not. */
  readonly plans: PlanCache | undefined;
}

/** @param files the model's; whoever made them closes them */
export async function openModel(files: ModelFiles, options: OpenModelOptions): Promise<OpenedModel> {
  const { request, compilerFrom, signal } = options;
  const compiler = () => compilerFrom(request.compilerUrl);
  // Reaching the model takes as long as fetching the compiler: neither waits for the other.
  const source = await files.openModel(() => void compiler().catch(() => {}));

  async function read(signal: AbortSignal): Promise<ReadModel & { files: readonly string[] }> {
    const made = await compiler();
    const model = await made.read(source, signal);
    await files.openExternal(model.files);
    const graph = await made.lookAtConstants(model.graph, (name) => files.source(name), signal);
    return { compiler: made, graph, files: model.files };
  }

  const derived = build === undefined || request.backend === 'cpu' ? undefined : files.derived(build);
  const known = derived && files.origin === 'store' ? await findSummary(derived) : undefined;
  if (known) await files.openExternal(known.files);
  // What is read later must not hang on a signal for the load alone.
  const later = () => read(new AbortController().signal);
  const blueprint = known ? lazyBlueprint(known, later) : await read(signal).then((m) => blueprintOf(m, m.files));
  const identities = files.identities();
  const { precision, allowPrecisionLoss, tune } = request;
  const plans =
    derived && identities
      ? new PlanCache(derived, blueprint, { precision, allowPrecisionLoss, tune, files: identities }, !!known)
      : undefined;
  return { blueprint, plans };
}
