// `npm run make:demo-model`: draws scenes, fits the demo's glyph detector to them, measures it on scenes it
// has not seen, and writes public/models/glyphs.onnx, its README with the measured quality, and the sample
// pictures public/pictures/shapes-*.png. Seeded: the same Node gives the same bytes. Takes about two minutes.

import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { measure, type Quality } from './glyphs/evaluate';
import { exportOnnx } from './glyphs/export';
import type { Layer } from './glyphs/network';
import { encodePng } from './glyphs/png';
import { drawSamples, inputSize } from './glyphs/samples';
import { random } from './glyphs/scene';
import { train } from './glyphs/train';

const { width, height } = inputSize;
const steps = 3600;
const testScenes = 150;
const wantedF1 = 0.95;
// Training and test scenes come from generators of their own.
const seeds = { training: 1, test: 999 } as const;

const publicFolder = fileURLToPath(new URL('../../public/', import.meta.url));
const share = (value: number) => `${(value * 100).toFixed(1)} %`;

export default async function makeModel(): Promise<number> {
  const began = performance.now();
  const seconds = () => `${((performance.now() - began) / 1000).toFixed(0)} s`;

  let recent = 0;
  const network = train(random(seeds.training), {
    steps,
    size: 128,
    rate: 0.003,
    onStep: (step, loss) => {
      recent = step === 1 ? loss : 0.98 * recent + 0.02 * loss;
      if (step % 500 === 0) console.log(`step ${step} of ${steps}: loss ${recent.toFixed(3)}, ${seconds()}`);
    },
  });

  const quality = measure(random(seeds.test), network, testScenes, width, height);
  console.log(
    `${testScenes} test scenes with ${quality.glyphs} glyphs: precision ${share(quality.precision)}, ` +
      `recall ${share(quality.recall)}, F1 ${share(quality.f1)}, mean overlap ${share(quality.overlap)}`,
  );
  if (quality.f1 < wantedF1) {
    console.error(`F1 is below ${share(wantedF1)}: nothing was written.`);
    return 1;
  }

  const model = exportOnnx(network, width, height);

  await mkdir(`${publicFolder}models`, { recursive: true });
  await mkdir(`${publicFolder}pictures`, { recursive: true });
  await writeFile(`${publicFolder}models/glyphs.onnx`, model);
  for (const [i, scene] of drawSamples().entries()) {
    const picture = encodePng({ width: scene.width, height: scene.height, data: scene.pixels });
    await writeFile(`${publicFolder}pictures/shapes-${i + 1}.png`, picture);
    console.log(`shapes-${i + 1}.png: ${picture.length} bytes, ${scene.glyphs.length} glyphs`);
  }
  await writeFile(`${publicFolder}models/README.md`, readme(network, quality, model.length));
  console.log(`glyphs.onnx: ${model.length} bytes, ${seconds()}`);
  return 0;
}

function readme(network: readonly Layer[], quality: Quality, bytes: number): string {
  const weights = network.reduce((sum, layer) => sum + layer.weight.length + layer.bias.length, 0);
  return `# glyphs.onnx

The demo's own model: finds circles, squares, triangles, crosses and stars. Nothing in it comes from
elsewhere: \`npm run make:demo-model\` (\`e2e/demo/make-model.ts\`) draws the training scenes, fits the weights
and writes this folder and \`public/pictures/\`. Licence: that of the project, Apache-2.0.

- Input \`picture\` float32 [1, 3, ${height}, ${width}]: RGB, (v / 255 - 0.5) / 0.25.
- Outputs \`heat\` float32 [1, 5, ${height / 8}, ${width / 8}], a score per class and cell, and \`box\` float32
  [1, 4, ${height / 8}, ${width / 8}]: offset of the centre in cells of 8 pixels, log of width and height over 32 pixels.
- ${weights} weights, ${bytes} bytes, opset 17: Conv, Relu, Add, Sigmoid, Softmax, Mul.
- Trained for ${steps} steps of one drawn scene each (Adam), seed ${seeds.training}.

Measured on ${testScenes} drawn scenes that were not trained on (seed ${seeds.test}, ${quality.glyphs} glyphs; a box counts if its class
is right and it overlaps the glyph by at least half): precision ${share(quality.precision)}, recall ${share(quality.recall)},
F1 ${share(quality.f1)}, mean overlap of the right boxes ${share(quality.overlap)}. The test scenes come from the same generator as the
training scenes: vivid glyphs of 20 to 62 pixels that lean at most 26°, on muted, textured grounds. It knows
nothing of photographs.
`;
}
