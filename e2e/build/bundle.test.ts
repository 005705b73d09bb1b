// What is in the built files and what is not, and that their types serve a strict consumer.

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { blankCases } from '../../.ci/bundle-plugins';
import { captureTool } from '../../.ci/command';
import { libraryFiles } from '../../vite.config';
import { dist } from '../support/lepton-page';

const root = fileURLToPath(new URL('../..', import.meta.url));
const textOf = (file: string) => readFileSync(join(dist, file), 'utf8');

describe.each(libraryFiles)('dist/$file', ({ file }) => {
  test('holds no test cases and no comments of shaders', () => {
    const unwanted = [...caseNames(), ...shaderComments()];
    expect(unwanted.length).toBeGreaterThan(30);
    expect(unwanted.filter((text) => textOf(file).includes(text))).toEqual([]);
  });

  test('is ASCII, so that it reads the same on a page without a charset', () => {
    expect(readFileSync(join(dist, file)).findIndex((byte) => byte > 127)).toBe(-1);
  });

  test('evaluates no text, embeds no file as base64, and names its source map', () => {
    expect(textOf(file)).not.toMatch(/\beval\(|new Function\(|WebAssembly|;base64,/);
    expect(textOf(file).trimEnd()).toMatch(new RegExp(`//# sourceMappingURL=${file}\\.map$`));
  });
});

test('the declarations compile for a strict consumer of the package', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'lepton-consumer-'));
  try {
    mkdirSync(join(folder, 'node_modules'));
    symlinkSync(root, join(folder, 'node_modules/lepton-ml'), 'dir');
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    writeFileSync(
      join(folder, 'use.ts'),
      `import { load, Tensor, LeptonError, version } from 'lepton-ml';
       import { callbacks, compress, data, layers, loadModel, sequential, sparseMatrix } from 'lepton-ml/training';
       const model = await load('/model.onnx', { backend: 'webgpu', onProgress: () => {} });
       const out = await model.run({ x: new Tensor('float32', new Float32Array(3), [3]) });
       const dims: readonly number[] | undefined = out.y?.dims;
       const code: string = new LeptonError('ABORTED', version).code;
       console.log(dims, code);
       const network = sequential([layers.dense({ units: 2, activation: 'softmax', inputShape: [3] })]);
       network.compile({ optimizer: { name: 'adam', learningRate: 0.01 }, loss: 'categoricalCrossentropy' });
       const batches = data.fromArrays({ xs: [[1, 2, 3]], ys: [[0, 1]] }).batch({ size: 1 });
       const { history } = await network.fit(batches, { epochs: 1, callbacks: [callbacks.earlyStopping()] });
       const [scores] = await network.predict([[1, 2, 3]]);
       const best: Float32Array | undefined = scores?.data;
       console.log(history.loss, best, await loadModel('indexeddb://kept'));
       const { bytes, report, html } = await compress('/model.onnx', {
         prune: { sparsity: 0.9, structure: '1x4' },
         quantize: { type: 'int4', blockSize: 64 },
         skip: ['last', /head/],
         calibration: { inputs: { x: new Tensor('float32', new Float32Array(6), [2, 3]) }, labels: [0, 1] },
         onProgress: ({ stage, loaded }) => console.log(stage, loaded),
       });
       const lost: number | undefined = report.calibration?.accuracy?.after;
       const small = await load(bytes);
       const nonZeros: number = sparseMatrix({ shape: [2, 2], rows: [0], columns: [1] }).nonZeros;
       console.log(lost, html.length, small.report, report.layers.length, nonZeros);
       // @ts-expect-error what is no tensor and no picture is no input
       await model.run({ x: 5 });`,
    );
    const options = { strict: true, noEmit: true, target: 'ES2023', lib: ['ES2023', 'DOM'], types: [] };
    for (const [module, moduleResolution] of [
      ['nodenext', 'nodenext'],
      ['esnext', 'bundler'],
    ]) {
      const compilerOptions = { ...options, module, moduleResolution, skipLibCheck: false };
      writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['use.ts'] }));
      expect(await captureTool('tsc', ['--project', folder])).toEqual({ status: 0, output: '' });
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('the declarations name nothing of WebGPU, which not every TypeScript knows', () => {
  const types = join(dist, 'types');
  const files = readdirSync(types, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.d.ts'));
  const code = (file: string) => readFileSync(join(types, file), 'utf8').replace(/\/\*[\s\S]*?\*\//g, '');
  expect(files.length).toBeGreaterThan(20);
  expect(files.filter((file) => /\bGPU[A-Z]/.test(code(file)))).toEqual([]);
});

test('older resolution of modules finds the declarations of both entries', () => {
  const { types, typesVersions, exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  expect(types).toBe(exports['.'].types);
  expect(typesVersions['*'].training).toEqual([exports['./training'].types]);
});

test('the package has the pages that its README links to', () => {
  const pack = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: root,
    encoding: 'utf8',
  });
  const files = (JSON.parse(pack) as { files: { path: string }[] }[])[0]?.files.map(({ path }) => path) ?? [];
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const links = [...readme.matchAll(/\]\(([^):]+)\)/g)].map(([, path]) => path as string);
  expect(links.length).toBeGreaterThan(8);
  // What tests need is not for those who use the package.
  const missing = links.filter((link) => !link.startsWith('e2e/') && !files.some((file) => file.startsWith(link)));
  expect(missing).toEqual([]);
});

/** Names of the operators' test cases that are long enough to mean nothing else. */
function caseNames(): string[] {
  const ops = join(root, 'src/ops');
  return readdirSync(ops)
    .filter((file) => file.endsWith('.op.ts'))
    .flatMap((file) => {
      const text = readFileSync(join(ops, file), 'utf8');
      const kept = blankCases(text);
      return [...text.matchAll(/\bname: '([^']+)'/g)]
        .filter(({ index, 1: name = '' }) => kept[index] === ' ' && name.length > 12 && name.includes(' '))
        .map(([, name = '']) => name);
    });
}

/** The first line of every shader, which says what it is. */
function shaderComments(): string[] {
  const folder = join(root, 'shaders');
  return readdirSync(folder).map((file) => readFileSync(join(folder, file), 'utf8').split('\n')[0] ?? '');
}
