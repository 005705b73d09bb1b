// Which answers of a server continue a file, which are the same file, and how long it is.

import { describe, expect, test } from 'vitest';
import { assertOk, continues, Interruption, isSameVersion, versionOf } from './http';

const lastModified = 'Tue, 01 Jan 2030 00:00:00 GMT';
const later = 'Wed, 02 Jan 2030 00:00:00 GMT';

function answer(status: number, headers: Record<string, string>): Response {
  return new Response(null, { status, headers });
}

describe('the version of an answer', () => {
  test('is a strong ETag, else Last-Modified, else nothing', () => {
    const of = (headers: Record<string, string>) => versionOf(answer(200, headers), 0).validator;
    expect(of({ etag: '"a"', 'last-modified': lastModified })).toBe('"a"');
    expect(of({ etag: 'W/"a"', 'last-modified': lastModified })).toBe(lastModified);
    expect(of({ etag: 'W/"a"' })).toBeUndefined();
  });

  test('has the length of the whole file, unless the body was encoded', () => {
    const of = (status: number, headers: Record<string, string>, start = 0) =>
      versionOf(answer(status, headers), start).total;
    expect(of(200, { 'content-length': '250' })).toBe(250);
    expect(of(200, { 'content-length': '250', 'content-encoding': 'gzip' })).toBeUndefined();
    expect(of(200, {})).toBeUndefined();
    expect(of(206, { 'content-length': '150', 'content-range': 'bytes 100-249/250' }, 100)).toBe(250);
    expect(of(206, { 'content-length': '150', 'content-range': 'bytes 100-249/*' }, 100)).toBe(250);
    expect(of(206, { 'content-length': '150' }, 100)).toBe(250);
  });
});

describe('a 206 answer continues the file', () => {
  const known = { total: 250, validator: '"a"' };
  const headers = { 'content-length': '150', 'content-range': 'bytes 100-249/250', etag: '"a"' };

  test('where nothing contradicts', () => {
    expect(continues(known, answer(206, headers), 100)).toBe(true);
    expect(continues(known, answer(206, { 'content-length': '150' }), 100)).toBe(true);
    expect(continues({ total: undefined, validator: undefined }, answer(206, headers), 100)).toBe(true);
  });

  test('not from another place, of another length, or another version', () => {
    expect(continues(known, answer(206, headers), 101)).toBe(false);
    expect(continues(known, answer(206, { ...headers, 'content-range': 'bytes 100-249/300' }), 100)).toBe(false);
    expect(continues(known, answer(206, { 'content-length': '151' }), 100)).toBe(false);
    expect(continues(known, answer(206, { ...headers, etag: '"b"' }), 100)).toBe(false);
    const dated = { total: 250, validator: lastModified };
    expect(continues(dated, answer(206, { 'last-modified': later }), 100)).toBe(false);
  });
});

test('a 200 answer is the same file by validator and length, or by length alone', () => {
  const known = { total: 250, validator: '"a"' };
  const same = (headers: Record<string, string>, of: { total?: number; validator?: string } = known) =>
    isSameVersion({ total: of.total, validator: of.validator }, answer(200, headers));
  expect(same({ 'content-length': '250', etag: '"a"' })).toBe(true);
  expect(same({ 'content-length': '250', etag: '"b"' })).toBe(false);
  expect(same({ 'content-length': '251', etag: '"a"' })).toBe(false);
  expect(same({ 'content-length': '250' })).toBe(false);
  expect(same({ 'content-length': '250' }, { total: 250 })).toBe(true);
  expect(same({}, {})).toBe(false);
});

test.each([
  [404, false],
  [403, false],
  [503, true],
  [429, true],
  [500, true],
])('HTTP %i may pass: %s', (status, passing) => {
  expect(() => assertOk(answer(status, {}))).toThrow(Interruption);
  expect(() => assertOk(answer(status, {}))).toThrow(expect.objectContaining({ status, passing }));
});
