// What builds take out of shaders and operator files, and that nothing else changes.

import { expect, test } from 'vitest';
import { blankCases, compactWgsl } from './bundle-plugins';

test('compactWgsl keeps tokens apart and drops comments, nested ones too', () => {
  const source = `
    // contract
    enable f16;
    override size : u32 = 64u; /* a /* nested */ comment */
    @group(0) @binding(0) var<storage, read> x : array<f32>;
    @compute @workgroup_size(size)
    fn main(@builtin(global_invocation_id) id : vec3u) {
      let a = x[id.x] - -1.0;   // minus minus
      let b = a >= 0.0 && !(a < 2.0);
      let c = 1. + .5 / a;
      return;
    }
  `;
  expect(compactWgsl(source)).toBe(
    'enable f16;override size:u32=64u;@group(0)@binding(0)var<storage,read>x:array<f32>;' +
      '@compute@workgroup_size(size)fn main(@builtin(global_invocation_id)id:vec3u){' +
      'let a=x[id.x]- -1.0;let b=a>=0.0&& !(a<2.0);let c=1.+.5/a;return;}\n',
  );
});

test('blankCases removes the exported cases and moves nothing', () => {
  const source = [
    "import { make } from './make';",
    'export default { name: "Relu" };',
    'export const cases = make({',
    '  shapes: [[1], [2, 3]],',
    '});',
    'export const kept = 1;',
  ].join('\n');
  const blanked = blankCases(source);
  expect(blanked).not.toContain('shapes');
  expect(blanked).toHaveLength(source.length);
  expect(blanked.split('\n')[5]).toBe('export const kept = 1;');
  expect(blanked.split('\n')[1]).toBe('export default { name: "Relu" };');
});

test('blankCases removes what only the cases used, and what only that used', () => {
  const source = [
    'const size = 3;',
    'const shapes = dims.flatMap((d) => [d, size]);',
    'const packed = [1].map((one) => one); // packed and shapes are named here',
    'function shared() { return packed; }',
    'export default { run: () => shared(), shapes: 1 };',
    'export const cases = [shapes, shared()];',
  ].join('\n');
  const kept = blankCases(source)
    .split('\n')
    .map((line) => line.trim() !== '');
  expect(kept).toEqual([false, false, true, true, true, false]);
});

test('blankCases leaves files without cases alone', () => {
  const source = 'const cases = 1;\nexport default cases;';
  expect(blankCases(source)).toBe(source);
});
