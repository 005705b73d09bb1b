// `npm run make:digits-model`: trains the network of the digits page on MNIST (from ../shared/data, or the folder of
// LEPTON_DATA) in Node on Dawn, measures it on the test digits, and writes public/models/digits.* with the measured
// accuracy. Seeded. Takes about ten minutes on a software adapter.

import * as webgpu from 'webgpu';
import { synthetic } from '../../src/demo/digits/synthetic';
import { Devices } from '../../src/worker/devices';
import { openDawn } from '../support/dawn';
import { digits } from '../train/digits';
import { publish } from './digits/publish';
import { accuracyOf, type Course, openNetwork, train } from './digits/train';

const course = { epochs: 5, batchSize: 128, synthetic: 16, learningRate: 0.003, seed: 1 } as const;
const wanted = 0.985;

export default async function makeDigitsModel(): Promise<number> {
  const began = performance.now();
  const dawn = await openDawn(Promise.resolve(webgpu));
  try {
    const trainer = await openNetwork(new Devices(dawn.gpu), course.seed);
    const test = digits('t10k', 10_000);
    const onEpoch: Course['onEpoch'] = async (epoch, loss) => {
      const seconds = Math.round((performance.now() - began) / 1000);
      const share = ((await accuracyOf(trainer, test)) * 100).toFixed(2);
      console.log(`epoch ${epoch + 1} of ${course.epochs}: loss ${loss.toFixed(4)}, test ${share} %, ${seconds} s`);
    };
    await train(trainer, digits('train', 60_000), { ...course, onEpoch });
    const mnist = await accuracyOf(trainer, test);
    if (mnist < wanted) {
      console.error(`The accuracy is below ${wanted}: nothing was written.`);
      return 1;
    }
    const unseen = synthetic(
      Array.from({ length: 2000 }, (_, i) => i),
      99_999,
    );
    const quality = { mnist, tested: test.count, synthetic: await accuracyOf(trainer, unseen) };
    console.log(`digits.onnx: ${await publish(trainer, quality, course)} bytes`);
    await trainer.dispose();
    return 0;
  } finally {
    dawn.close();
  }
}
