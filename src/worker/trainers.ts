// The models under training, by number, and where they are saved.

import { LeptonError } from '../base/errors';
import type { CheckpointStore } from '../store/checkpoints';
import type { TrainingCompiler } from '../train';
import type { Devices } from './devices';
import type { MakeRunner } from './step-plans';
import { Trainer } from './trainer';
import { packState, packTrainer, type TrainerFile, unpackState, unpackTrainer } from './trainer-file';
import type { CreatedTrainer, CreateTrainerRequest, PackRequest, TrainerSource } from './training-protocol';

/** What of the worker training needs. */
export interface TrainersOptions {
  readonly devices: Devices;
  readonly checkpoints: CheckpointStore;
  readonly makeRunner: MakeRunner;
}

export class Trainers {
  private readonly all = new Map<number, Trainer>();
  private next = 1;

  constructor(
    private readonly training: TrainingCompiler,
    private readonly options: TrainersOptions,
  ) {}

  async create({ source, seed, powerPreference }: CreateTrainerRequest): Promise<CreatedTrainer> {
    const { spec, compile, learningRate, pruned = [], state } = await this.fileOf(source);
    const { training } = this;
    const { devices, makeRunner } = this.options;
    const trainer = new Trainer({
      ...{ spec, seed, training, devices, makeRunner },
      ...(powerPreference && { powerPreference }),
    });
    try {
      await trainer.build(compile);
      await trainer.setState(state);
      await trainer.keepZeros(pruned);
    } catch (error) {
      await trainer.dispose();
      throw error;
    }
    const id = this.next++;
    this.all.set(id, trainer);
    const { description } = trainer;
    return { id, spec, description, ...(compile && { compile }), ...(learningRate !== undefined && { learningRate }) };
  }

  of(id: number): Trainer {
    const trainer = this.all.get(id);
    if (!trainer) throw new LeptonError('DISPOSED', 'This model was disposed of; make or load it again.');
    return trainer;
  }

  async pack({ trainer: id, learningRate }: PackRequest): Promise<Uint8Array<ArrayBuffer>> {
    const trainer = this.of(id);
    const state = await trainer.state(true);
    // As it is now: a compile() that was under way has come before the state.
    const { spec, compiled, pruned } = trainer;
    return packTrainer({ spec, ...(compiled && { compile: compiled, learningRate }), pruned, state });
  }

  async packWeights(id: number, names: readonly string[]): Promise<Uint8Array<ArrayBuffer>> {
    const state = await this.of(id).state(false);
    const wanted = new Set(names);
    return packState(Object.fromEntries(Object.entries(state).filter(([name]) => wanted.has(name))));
  }

  async loadWeights(id: number, file: Blob): Promise<void> {
    const { state } = await unpackState(file);
    await this.of(id).setState(state);
  }

  async save(request: PackRequest & { readonly name: string }): Promise<void> {
    await this.options.checkpoints.save(request.name, await this.pack(request));
  }

  async dispose(id: number): Promise<void> {
    const trainer = this.all.get(id);
    this.all.delete(id);
    await trainer?.dispose();
  }

  private async fileOf(source: TrainerSource): Promise<TrainerFile> {
    if ('spec' in source) return { spec: source.spec, state: source.weights };
    if ('file' in source) return unpackTrainer(source.file);
    const file = await this.options.checkpoints.load(source.checkpoint);
    if (file) return unpackTrainer(file);
    const names = (await this.options.checkpoints.list()).map(({ name }) => `"${name}"`).join(', ');
    throw new LeptonError(
      'INVALID_ARGUMENT',
      `There is no checkpoint "${source.checkpoint}"; there ${names ? `are ${names}` : 'is none'}.`,
      { details: { name: source.checkpoint } },
    );
  }
}
