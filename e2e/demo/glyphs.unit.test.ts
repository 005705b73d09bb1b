// The script that makes the demo's model: its gradients against finite differences, its scenes' and its
// PNG's form, and that the shipped model is what the README beside it says.

import { readFileSync } from 'node:fs';
import { inflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { Plane } from './glyphs/layers';
import { backward, createNetwork, forward } from './glyphs/network';
import { encodePng } from './glyphs/png';
import { drawScene, random } from './glyphs/scene';
import { normalise, train } from './glyphs/train';

const publicFile = (path: string) => readFileSync(new URL(`../../public/${path}`, import.meta.url));

describe('network', () => {
  it('has the gradients that finite differences give', () => {
    const network = createNetwork(random(3));
    const input: Plane = normalise(drawScene(random(4), 72, 64, { count: 1, scale: 1, grain: 0.05 }));
    const pull = (plane: Plane) => plane.data.map((_, i) => Math.sin(i));
    const value = () => {
      const head = forward(network, input).planes.at(-1)!;
      const weights = pull(head);
      return head.data.reduce((sum, v, i) => sum + v * weights[i]!, 0);
    };
    const trace = forward(network, input);
    backward(network, trace, pull(trace.planes.at(-1)!));
    for (const layer of network) {
      for (const [parameter, grad] of [
        [layer.weight, layer.weightGrad],
        [layer.bias, layer.biasGrad],
      ] as const) {
        const i = parameter.length >> 1;
        const before = parameter[i]!;
        const step = 2e-4; // small enough that few activations change sign
        parameter[i] = before + step;
        const above = value();
        parameter[i] = before - step;
        const below = value();
        parameter[i] = before;
        const expected = (above - below) / (2 * step);
        expect(Math.abs(grad[i]! - expected), layer.spec.name).toBeLessThan(0.03 * Math.abs(expected) + 0.02);
      }
    }
  });

  it('is the same for the same seed', () => {
    const weights = () => train(random(5), { steps: 2, size: 72, rate: 0.003 }).map((layer) => layer.weight[0]);
    expect(weights()).toEqual(weights());
  });
});

describe('scenes', () => {
  it('hold glyphs inside the picture that do not touch', () => {
    const { glyphs, pixels } = drawScene(random(6), 320, 240, { count: 12, scale: 1, grain: 0.05 });
    expect(glyphs.length).toBeGreaterThan(8);
    for (const g of glyphs) expect(g.x0 >= 0 && g.y0 >= 0 && g.x1 <= 320 && g.y1 <= 240).toBe(true);
    expect(pixels.every((v) => v >= 0 && v <= 1)).toBe(true);
  });

  it('are written as PNG without loss', () => {
    const scene = drawScene(random(7), 80, 72, { count: 1, scale: 1, grain: 0 });
    const file = Buffer.from(encodePng({ width: 80, height: 72, data: scene.pixels }));
    expect(file.subarray(1, 4).toString()).toBe('PNG');
    const length = file.readUInt32BE(33);
    const rows = inflateSync(file.subarray(41, 41 + length));
    expect(rows.length).toBe(72 * (3 * 80 + 1));
  });
});

describe('shipped files', () => {
  it('are small, and the README tells the size and the quality', () => {
    const readme = publicFile('models/README.md').toString();
    const model = publicFile('models/glyphs.onnx');
    expect(model.length).toBeLessThan(200_000);
    expect(readme).toContain(`${model.length} bytes`);
    expect(Number(/F1 ([\d.]+) %/.exec(readme)?.[1])).toBeGreaterThanOrEqual(95);
    for (const n of [1, 2, 3]) expect(publicFile(`pictures/shapes-${n}.png`).length).toBeLessThan(150_000);
  });
});
