// The main job: real photos go in, faces come out, through the script-tag build. The first visit takes
// the weights from the network, the second out of IndexedDB without a request.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { decodeUltraFace } from '../../src/demo/decode/ultraface';
import { describeBrowsers, type TestPage } from '../support/browsers';
import { dataPath, describeWithData } from '../support/data';
import { openLeptonPage, startLeptonServer } from '../support/lepton-page';
import type { TestServer } from '../support/server';

declare const lepton: typeof import('../../src/api');

const modelPath = '/models/ultraface-rfb-320/version-RFB-320.onnx';
/** Photos and how many faces the network finds in them. */
const photos: Readonly<Record<string, number>> = {
  'ultraface-rfb-320/1.jpg': 44,
  'ultraface-rfb-320/13.jpg': 2,
  'ultraface-rfb-320/19.jpg': 5,
  'ultraface-rfb-320/2.jpg': 4,
  'ultraface-slim-320/20.jpg': 10,
  'ultraface-slim-320/5.jpg': 1,
};

type Output = Awaited<ReturnType<Awaited<ReturnType<typeof lepton.load>>['run']>>[string];

interface Answer {
  readonly scores: { dims: readonly number[]; data: number[] };
  readonly boxes: { dims: readonly number[]; data: number[] };
}

describeWithData('faces', () => {
  describeBrowsers('in photos', (browser) => {
    let server: TestServer;
    let page: TestPage;
    beforeAll(async () => {
      server = await startLeptonServer();
      server.mount('/models', dataPath('models'));
      page = await openLeptonPage(browser, server);
    });
    afterAll(async () => {
      await page.close();
      await server.close();
    });

    const visit = (photo: string) =>
      page.evaluate(
        async ({ model, photo }): Promise<{ origin: string; bytes: number; ms: number; answer: Answer }> => {
          const picture = await (await fetch(photo)).blob();
          const start = performance.now();
          const network = await lepton.load(model);
          const input = lepton.image(picture, { scale: 1, mean: 127, std: 128 });
          const { scores, boxes } = await network.run({ input });
          const ms = performance.now() - start;
          await network.dispose();
          const plain = (t: Output | undefined) => ({
            dims: t?.dims ?? [],
            data: Array.from((t?.data ?? []) as Float32Array),
          });
          const answer = { scores: plain(scores), boxes: plain(boxes) };
          return { origin: network.report.origin, bytes: network.report.bytes, ms, answer };
        },
        { model: modelPath, photo: `/models/${photo}` },
      );

    for (const [photo, expected] of Object.entries(photos)) {
      test(`${photo}: ${expected}`, async () => {
        const { answer } = await visit(photo);
        const faces = decodeUltraFace(answer as never, [240, 320]);
        console.info(
          `${browser.name} ${photo}: ${faces.map((f) => `${f.score.toFixed(2)} at ${f.x0.toFixed(0)},${f.y0.toFixed(0)}`).join('; ')}`,
        );
        expect(faces.length).toBe(expected);
      });
    }

    test('the second visit takes the weights out of IndexedDB', async () => {
      await page.evaluate(() => lepton.cache.clear());
      await page.reload();
      const cold = await visit('ultraface-rfb-320/1.jpg');
      await page.reload();
      server.forgetRequests();
      const warm = await visit('ultraface-rfb-320/1.jpg');
      console.info(
        `${browser.name}: first answer ${cold.ms.toFixed(0)} ms with ${cold.bytes} bytes of model from the ${cold.origin}, ${warm.ms.toFixed(0)} ms from the ${warm.origin}`,
      );
      expect([cold.origin, warm.origin]).toEqual(['network', 'store']);
      expect(server.requests.filter((r) => r.path === modelPath)).toEqual([]);
      expect(warm.answer).toEqual(cold.answer);
    });
  });
});
