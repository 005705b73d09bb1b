// The worker's end of the line: says that it is there, then answers the page through Comlink.

import { expose, transfer } from 'comlink';
import { version } from '../../package.json';
import { LeptonError } from '../base/errors';
import { readyMessage } from '../base/handshake';
import { createWeightStore } from '../store';
import { createCheckpointStore } from '../store/checkpoints';
import { createTuningStore } from '../store/tuning';
import type { Compiler } from './compiler';
import { compress } from './compress';
import { Devices } from './devices';
import { makeRunner } from './make-runner';
import { openLayer } from './open-layer';
import type { CallId, Progress, Reply, WireError, WireGpuTensor, WireTensor } from './protocol';
import { Session } from './session';
import type { Trainers } from './trainers';
import type { TrainerPlaces, TrainingPart } from './training-part';
import type { WorkerApi } from './worker-api';

/** Progress is sent at most this often, in milliseconds; the last one of a stage always is. */
const progressInterval = 50;

/**
 * @param compilerFrom gets the compiler, given the address that the page knows it by
 * @param trainerFrom gets the part that trains, given its address and the compiler's
 */
export function serve(
  compilerFrom: (url: string) => Promise<Compiler>,
  trainerFrom: (places: TrainerPlaces) => Promise<TrainingPart>,
): void {
  const store = createWeightStore();
  const tuning = createTuningStore({ version });
  const checkpoints = createCheckpointStore();
  const devices = new Devices(navigator.gpu, tuning);
  const session = new Session(devices, store, compilerFrom);
  let trainers: Promise<Trainers> | undefined;
  const trainersFrom = (places: TrainerPlaces) => {
    trainers ??= trainerFrom(places).then((part) => part.trainers({ devices, checkpoints, makeRunner }));
    trainers.catch(() => {
      trainers = undefined;
    });
    return trainers;
  };
  const opened = async () => (await trainers) ?? noSuchTrainer();
  const trainer = async (id: number) => (await opened()).of(id);
  const calls = new Map<CallId, AbortController>();

  const api: WorkerApi = {
    start: (request) => reply(() => session.start(request)),
    load: (call, request, onProgress) =>
      abortable(calls, call, (signal, tell) => session.load(request, signal, tell), onProgress),
    run: (call, request) =>
      moved(
        abortable(calls, call, (signal) => session.run(request, signal)),
        (results) => Object.values(results).flatMap(buffersOf),
      ),
    profile: (call, request) => abortable(calls, call, (signal) => session.profile(request, signal)),
    disposeModel: (model) => reply(() => session.disposeModel(model)),
    upload: (tensor, powerPreference) => reply(() => session.upload(tensor, powerPreference)),
    read: (gpu) =>
      moved(
        reply(() => session.read(gpu)),
        buffersOf,
      ),
    disposeTensor: (gpu) => reply(async () => session.disposeTensor(gpu)),
    async abort(call) {
      calls.get(call)?.abort();
    },
    cacheList: () => reply(async () => store.list()),
    cacheDelete: (url) => reply(() => store.delete(url)),
    cacheClear: () => reply(() => Promise.all([store.clear(), tuning.clear()]).then(() => {})),
    cacheUsage: () => reply(() => store.usage()),
    openLayer: (call, request, onProgress) =>
      moved(
        abortable(
          calls,
          call,
          (signal, tell) => openLayer(request, { store, compilerFrom, trainerFrom, signal, onProgress: tell }),
          onProgress,
        ),
        ({ weights }) => Object.values(weights).flatMap(buffersOf),
      ),
    compress: (call, request, onProgress) =>
      moved(
        abortable(
          calls,
          call,
          (signal, tell) => compress(request, { store, devices, compilerFrom, trainerFrom, signal, onProgress: tell }),
          onProgress,
        ),
        ({ bytes }) => bufferOf(bytes),
      ),
    createTrainer: (request) => reply(async () => (await trainersFrom(request)).create(request)),
    compileTrainer: (request) => reply(async () => (await trainer(request.trainer)).compile(request.compile)),
    trainerBatch: (request) => reply(async () => (await trainer(request.trainer)).batch(request)),
    trainerPredict: (request) =>
      moved(
        reply(async () => (await trainer(request.trainer)).predict(request.inputs)),
        (outputs) => outputs.flatMap(buffersOf),
      ),
    trainerState: (request) =>
      moved(
        reply(async () => (await trainer(request.trainer)).state(request.optimizer)),
        (state) => Object.values(state).flatMap(buffersOf),
      ),
    setTrainerState: (request) => reply(async () => (await trainer(request.trainer)).setState(request.state)),
    pruneTrainer: (request) => reply(async () => (await trainer(request.trainer)).prune(request.options)),
    exportTrainer: (id) =>
      moved(
        reply(async () => (await trainer(id)).exportOnnx()),
        bufferOf,
      ),
    packTrainer: (request) =>
      moved(
        reply(async () => (await opened()).pack(request)),
        bufferOf,
      ),
    packWeights: (request) =>
      moved(
        reply(async () => (await opened()).packWeights(request.trainer, request.names)),
        bufferOf,
      ),
    loadWeights: (request) => reply(async () => (await opened()).loadWeights(request.trainer, request.file)),
    saveTrainer: (request) => reply(async () => (await opened()).save(request)),
    checkpoints: () => reply(() => checkpoints.list()),
    deleteCheckpoint: (name) => reply(() => checkpoints.delete(name)),
    disposeTrainer: (id) => reply(async () => (await trainers)?.dispose(id)),
  };

  expose(api);
  // After `expose`, so that nothing the page sends on hearing this can be missed.
  postMessage(readyMessage);
}

function noSuchTrainer(): never {
  throw new LeptonError('DISPOSED', 'There is no such model; make or load it again.');
}

/** The answer, with the memory in it to be moved to the page rather than copied. */
async function moved<T>(answering: Promise<Reply<T>>, memoryOf: (value: T) => ArrayBuffer[]): Promise<Reply<T>> {
  const answer = await answering;
  return transfer(answer, answer.ok ? memoryOf(answer.value) : []);
}

function bufferOf({ buffer }: Uint8Array<ArrayBuffer>): ArrayBuffer[] {
  return [buffer];
}

function buffersOf(tensor: WireTensor | WireGpuTensor): ArrayBuffer[] {
  return 'bytes' in tensor ? [tensor.bytes.buffer] : [];
}

/** What is told of the progress goes another way than the answer, which therefore waits until all of it has been heard. */
async function abortable<T, P extends Told = Told>(
  calls: Map<CallId, AbortController>,
  call: CallId,
  work: (signal: AbortSignal, tell: (progress: P) => void) => Promise<T>,
  onProgress?: (progress: P) => unknown,
): Promise<Reply<T>> {
  const controller = new AbortController();
  calls.set(call, controller);
  let heard: unknown;
  const tell = throttled((progress: P) => {
    heard = onProgress?.(progress);
  });
  try {
    return await reply(() => work(controller.signal, tell));
  } finally {
    calls.delete(call);
    // A listener that throws is no failure of the work.
    await Promise.resolve(heard).catch(() => {});
  }
}

async function reply<T>(work: () => Promise<T>): Promise<Reply<T>> {
  try {
    return { ok: true, value: await work() };
  } catch (error) {
    return { ok: false, error: toWire(error) };
  }
}

function toWire(error: unknown): WireError {
  if (error instanceof LeptonError) return { code: error.code, message: error.message, details: error.details };
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  return { code: 'INTERNAL', message: `Internal error: ${message}`, details: { stack } };
}

type Told = Pick<Progress, 'loaded' | 'total'> & { readonly stage: string };

function throttled<P extends Told>(send: (progress: P) => void): (progress: P) => void {
  let last: { stage: string; time: number } = { stage: '', time: 0 };
  return (progress) => {
    const time = performance.now();
    const done = progress.loaded === progress.total;
    if (progress.stage === last.stage && !done && time - last.time < progressInterval) return;
    last = { stage: progress.stage, time };
    send(progress);
  };
}
