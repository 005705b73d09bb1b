// Animals or things? Photographs as a convolutional network of the usual beginner's shape sees them, learnt by heart: with a
// handful of them every one must be told right in the end, which shows that nothing in the network stops learning.

import { readdirSync, readFileSync } from 'node:fs';
import * as layers from '../../src/api/nn/layers';
import { sequential } from '../../src/api/nn/network';
import { dataPath } from '../support/data';
import { openBrowser } from '../support/open-browser';
import { type Context, type Measured, type Proof, progress } from './proof';

export const photographs: Proof = {
  about: 'Conv 32, 64, 128, Dense 512, sigmoid on photographs, learnt by heart',
  claims: { small: { accuracy: { atLeast: 1 } }, full: { accuracy: { atLeast: 1 } } },
  run,
};

/** Photographs of each kind. */
const each = 8;
/** ImageNet's ids: up to this one they are animals. */
const lastAnimal = 'n02500000';

async function run({ training, full, log }: Context): Promise<Measured> {
  const side = full ? 150 : 48;
  const folder = dataPath('images', 'imagenet');
  const names = readdirSync(folder).filter((name) => name.endsWith('.JPEG'));
  const isAnimal = (name: string) => name < lastAnimal;
  const chosen = [names.filter(isAnimal), names.filter((name) => !isAnimal(name))].flatMap((list) =>
    list.slice(0, each),
  );
  const pixels = await decode(
    chosen.map((name) => readFileSync(`${folder}/${name}`)),
    side,
  );
  const dims = [chosen.length, side, side, 3];
  const x = { type: 'float32', dims, data: Float32Array.from(pixels, (p) => p / 255) } as const;
  const y = Int32Array.from(chosen, (name) => Number(isAnimal(name)));

  const model = sequential([
    layers.conv2d({ filters: 32, kernelSize: 3, activation: 'relu', inputShape: [side, side, 3] }),
    layers.maxPooling2d(),
    layers.conv2d({ filters: 64, kernelSize: 3, activation: 'relu' }),
    layers.maxPooling2d(),
    layers.conv2d({ filters: 128, kernelSize: 3, activation: 'relu' }),
    layers.maxPooling2d(),
    layers.flatten(),
    layers.dense({ units: 512, activation: 'relu' }),
    layers.dense({ units: 1, activation: 'sigmoid' }),
  ]);
  await training.build(model, 1);
  const optimizer = { name: 'adam', learningRate: full ? 0.0002 : 0.001 } as const;
  model.compile({ optimizer, loss: 'binaryCrossentropy', metrics: ['accuracy'] });
  let epochs = 0;
  const enough = {
    onEpochEnd: (epoch: number, logs: Readonly<Record<string, number>>) => {
      epochs = epoch + 1;
      model.stopTraining = logs.accuracy === 1 && (logs.loss ?? 1) < 0.2;
    },
  };
  await model.fit(x, y, { epochs: 60, batchSize: chosen.length, seed: 1, callbacks: [progress(log), enough] });
  const results = await model.evaluate(x, y);
  await model.dispose();
  return { loss: results.loss as number, accuracy: results.accuracy as number, epochs };
}

/** The middle squares of pictures, red, green and blue: a browser decodes them. */
async function decode(files: readonly Uint8Array[], side: number): Promise<Uint8Array> {
  const browser = await openBrowser('chromium', { webgpu: false });
  try {
    const page = await browser.newPage();
    const out: Uint8Array[] = [];
    for (const file of files) {
      const base64 = await page.evaluate(middleSquare, { base64: Buffer.from(file).toString('base64'), side });
      out.push(Buffer.from(base64, 'base64').filter((_, i) => i % 4 !== 3));
    }
    return Buffer.concat(out);
  } finally {
    await browser.close();
  }
}

async function middleSquare({ base64, side }: { base64: string; side: number }): Promise<string> {
  const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
  const picture = await createImageBitmap(new Blob([bytes]));
  const { width, height } = picture;
  const edge = Math.min(width, height);
  const canvas = new OffscreenCanvas(side, side);
  const context = canvas.getContext('2d') as OffscreenCanvasRenderingContext2D;
  context.drawImage(picture, (width - edge) / 2, (height - edge) / 2, edge, edge, 0, 0, side, side);
  const { data } = context.getImageData(0, 0, side, side);
  let text = '';
  for (let i = 0; i < data.length; i += 8192) text += String.fromCharCode(...data.subarray(i, i + 8192));
  return btoa(text);
}
