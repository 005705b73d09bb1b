// Writes what the digits page ships with: the network as ONNX and as the weights to train on, how well it reads, and a
// description.

import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Trainer } from '../../../src/worker/trainer';
import { packTrainer } from '../../../src/worker/trainer-file';
import type { Course } from './train';

export interface Quality {
  /** Shares that are recognised, of MNIST's test digits and of digits of the page's generator. */
  readonly mnist: number;
  readonly synthetic: number;
  readonly tested: number;
}

const models = fileURLToPath(new URL('../../../public/models/', import.meta.url));
const facts = fileURLToPath(new URL('../../../src/demo/digits/shipped.json', import.meta.url));
const share = (value: number) => `${(value * 100).toFixed(2)} %`;

/** @returns the bytes of the ONNX file */
export async function publish(trainer: Trainer, quality: Quality, course: Omit<Course, 'onEpoch'>): Promise<number> {
  const onnx = await trainer.exportOnnx();
  // Without what the optimiser keeps: the page begins with an optimiser of its own.
  const weights = packTrainer({ spec: trainer.spec, state: await trainer.state(false) });
  await writeFile(`${models}digits.onnx`, onnx);
  await writeFile(`${models}digits.safetensors`, weights);
  await writeFile(`${models}digits.md`, describe(trainer, quality, course, onnx.length));
  await writeFile(facts, `{ "accuracy": ${quality.mnist}, "tested": ${quality.tested} }\n`);
  return onnx.length;
}

function describe(
  { description }: Trainer,
  { mnist, synthetic, tested }: Quality,
  course: Omit<Course, 'onEpoch'>,
  bytes: number,
): string {
  const weights = description.layers.reduce((sum, { parameters }) => sum + parameters, 0);
  return `# digits.onnx, digits.safetensors

The network of the digits page: reads one handwritten digit. Lepton trained it itself, by \`npm run make:digits-model\`
(\`e2e/demo/make-digits-model.ts\`), which also writes this file. Licence: that of the project, Apache-2.0. The digits
that it was trained on are MNIST's (Yann LeCun, Corinna Cortes, Christopher J. C. Burges), which are not part of the project.

- Input float32 [batch, 28, 28, 1]: ink from 0 to 1, the digit scaled into 20×20 with its centre of mass in the middle.
- Output float32 [batch, 10]: scores of the digits from 0 to 9, which add up to 1.
- ${weights} weights, ${bytes} bytes: convolutions of 8 and 16 filters (3×3) with pooling, dense layers of 32 and 10.
- Trained for ${course.epochs} epochs (Adam, learning rate ${course.learningRate} falling along a cosine, batches of ${course.batchSize}, seed ${course.seed}):
  MNIST's 60,000 training digits, each turned, leant, resized and moved a little, and in every batch ${course.synthetic} digits of the
  page's own generator.

Measured: ${share(mnist)} of MNIST's ${tested.toLocaleString('en')} test digits, and ${share(synthetic)} of 2,000 digits of the generator that were not trained on.

\`digits.safetensors\` has the same weights with the architecture, to go on training (\`lepton.loadModel\`).
`;
}
