// The public training API in Node: models whose worker is this process, on the GPU that is given. Layers, compile, fit,
// evaluate, predict, weights and ONNX are what a page has; only saving has no place here.

import type { Network } from '../../src/api/nn/network';
import type { WorkerClient } from '../../src/api/worker-client';
import { training } from '../../src/train';
import { Devices } from '../../src/worker/devices';
import { makeRunner } from '../../src/worker/make-runner';
import type { Reply } from '../../src/worker/protocol';
import { Trainer } from '../../src/worker/trainer';
import type { TrainingApi } from '../../src/worker/training-protocol';

export class NodeTraining {
  private readonly devices: Devices;

  constructor(readonly gpu: GPU) {
    this.devices = new Devices(gpu);
  }

  /** Makes the model's weights, as `build({ seed })` does in a page. */
  async build<N extends Network>(network: N, seed: number): Promise<N> {
    const { spec } = network;
    const trainer = new Trainer({ spec, seed, training, makeRunner, devices: this.devices });
    await trainer.build();
    const worker = workerOf(trainer);
    // Errors pass as they are: nothing turns them into plain data on the way.
    const client = {
      async call<A, T>(method: (api: typeof worker, argument: A) => Promise<Reply<T>>, argument: A) {
        const reply = await method(worker, argument);
        return reply.ok && reply.value;
      },
    };
    const created = { id: 1, spec, description: trainer.description };
    network.adopt({ client: client as unknown as WorkerClient, id: created.id, created });
    return network;
  }
}

function workerOf(trainer: Trainer) {
  return {
    compileTrainer: ({ compile }) => reply(trainer.compile(compile)),
    trainerBatch: (request) => reply(trainer.batch(request)),
    trainerPredict: ({ inputs }) => reply(trainer.predict(inputs)),
    trainerState: ({ optimizer }) => reply(trainer.state(optimizer)),
    setTrainerState: ({ state }) => reply(trainer.setState(state)),
    pruneTrainer: ({ options }) => reply(trainer.prune(options)),
    exportTrainer: () => reply(trainer.exportOnnx()),
    disposeTrainer: () => reply(trainer.dispose()),
  } satisfies Partial<TrainingApi>;
}

async function reply<T>(value: Promise<T>): Promise<Reply<T>> {
  return { ok: true, value: await value };
}
