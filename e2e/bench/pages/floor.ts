// The page that every start is measured against: it opens a device in a worker, runs a shader of one statement and reads
// what that wrote. No runtime in a worker can answer sooner.

import { answeredMark, type BenchPage, type FirstAnswer } from './runtime';

const worker = new Worker(new URL('./floor-worker.ts', import.meta.url), { type: 'module' });

const firstAnswer = new Promise<FirstAnswer>((resolve) => {
  worker.onmessage = ({ data: problem }: MessageEvent<string | undefined>) => {
    performance.mark(answeredMark);
    resolve({ ms: performance.now(), ...(problem !== undefined && { problem }) });
  };
});

const bench: Pick<BenchPage, 'firstAnswer'> = { firstAnswer };
Object.assign(globalThis, { bench });
