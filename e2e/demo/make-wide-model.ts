// `npm run make:wide-model`: trains the larger network of the page of smaller networks (compress.html) as the one of the
// digits page is trained, measures it, and writes public/models/digits-wide.*. Seeded. Takes some minutes on a software adapter.

import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { layers, sequential } from '../../src/api/training';
import { synthetic } from '../../src/demo/digits/synthetic';
import { Devices } from '../../src/worker/devices';
import { openDawn } from '../support/dawn';
import { digits } from '../train/digits';
import { accuracyOf, openNetwork, train } from './digits/train';

const course = { epochs: 5, batchSize: 128, synthetic: 16, learningRate: 0.002, seed: 1 } as const;
const wanted = 0.975;
const models = fileURLToPath(new URL('../../public/models/', import.meta.url));
const share = (value: number) => `${(value * 100).toFixed(2)} %`;

function wideNetwork() {
  return sequential(
    [
      layers.flatten({ inputShape: [28, 28, 1] }),
      layers.dense({ units: 512, activation: 'relu' }),
      layers.dense({ units: 256, activation: 'relu' }),
      layers.dense({ units: 10, activation: 'softmax' }),
    ],
    'digits-wide',
  );
}

// Opened here: once a command runs, its runner loads no more modules.
const dawn = await openDawn();

export default async function makeWideModel(): Promise<number> {
  try {
    const trainer = await openNetwork(new Devices(dawn.gpu), course.seed, wideNetwork());
    const test = digits('t10k', 10_000);
    await train(trainer, digits('train', 60_000), {
      ...course,
      onEpoch: async (epoch, loss) =>
        console.log(`epoch ${epoch + 1}: loss ${loss.toFixed(4)}, test ${share(await accuracyOf(trainer, test))}`),
    });
    const mnist = await accuracyOf(trainer, test);
    if (mnist < wanted) {
      console.error(`The accuracy is below ${wanted}: nothing was written.`);
      return 1;
    }
    const indices = Array.from({ length: 2000 }, (_, i) => i);
    const own = await accuracyOf(trainer, synthetic(indices, 99_999));
    const onnx = await trainer.exportOnnx();
    await writeFile(`${models}digits-wide.onnx`, onnx);
    await writeFile(`${models}digits-wide.md`, described(onnx.length, mnist, own));
    await trainer.dispose();
    return 0;
  } finally {
    dawn.close();
  }
}

function described(bytes: number, mnist: number, own: number): string {
  const { epochs, learningRate, batchSize, seed } = course;
  return `# digits-wide.onnx

The larger network of the page of smaller networks (\`compress.html\`): reads one handwritten digit. Lepton trained it itself,
by \`npm run make:wide-model\` (\`e2e/demo/make-wide-model.ts\`), which also writes this file. Licence: that of the project,
Apache-2.0. The digits that it was trained on are MNIST's (Yann LeCun, Corinna Cortes, Christopher J. C. Burges), which are not
part of the project.

- Input float32 [batch, 28, 28, 1]: ink from 0 to 1. Output float32 [batch, 10]: scores of the digits, which add up to 1.
- Dense layers of 512, 256 and 10: ${bytes} bytes.
- Trained for ${epochs} epochs (Adam, learning rate ${learningRate} falling along a cosine, batches of ${batchSize}, seed ${seed}).

Measured: ${share(mnist)} of MNIST's 10,000 test digits, and ${share(own)} of 2,000 digits of the page's generator.
`;
}
