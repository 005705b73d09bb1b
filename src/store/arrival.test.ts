// Waiting for bytes: until they are there, the file ends, the download fails, or the reader gives up.

import { expect, test } from 'vitest';
import { LeptonError } from '../base/errors';
import { Arrival } from './arrival';

const wait = (arrival: Arrival, end: number, signal?: AbortSignal) => arrival.wait(end, signal, 'Reading a file');

test('resolves when the bytes are there', async () => {
  const arrival = new Arrival();
  const positions: number[] = [];
  const waiting = wait(arrival, 10).then((position) => positions.push(position));
  arrival.reach(9);
  await Promise.resolve();
  expect(positions).toEqual([]);
  arrival.reach(15);
  await waiting;
  expect(positions).toEqual([10]);
});

test('is cut at the end of the file, known before or after', async () => {
  const arrival = new Arrival();
  const early = wait(arrival, 100);
  arrival.expect(20);
  arrival.reach(20);
  expect(await early).toBe(20);
  const unknown = new Arrival();
  const late = wait(unknown, 100);
  unknown.reach(30);
  unknown.end();
  expect(await late).toBe(30);
  expect(unknown.size).toBe(30);
});

test('rejects when the download fails, except for bytes that were there', async () => {
  const arrival = new Arrival();
  arrival.reach(10);
  const waiting = wait(arrival, 11);
  const failure = new LeptonError('NETWORK', 'gone');
  arrival.fail(failure, false);
  await expect(waiting).rejects.toBe(failure);
  expect(await wait(arrival, 10)).toBe(10);
  arrival.fail(failure, true);
  await expect(wait(arrival, 10)).rejects.toBe(failure);
});

test('rejects for all bytes of a file that was whole and is closed', async () => {
  const arrival = new Arrival();
  arrival.reach(10);
  arrival.end();
  const closed = new LeptonError('DISPOSED', 'closed');
  arrival.fail(closed, true);
  await expect(wait(arrival, 1)).rejects.toBe(closed);
});

test('is given up by a signal', async () => {
  const arrival = new Arrival();
  const controller = new AbortController();
  const waiting = wait(arrival, 1, controller.signal);
  controller.abort();
  await expect(waiting).rejects.toMatchObject({ code: 'ABORTED' });
  await expect(wait(arrival, 0, controller.signal)).rejects.toMatchObject({ code: 'ABORTED' });
});
