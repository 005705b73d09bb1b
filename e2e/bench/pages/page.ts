// The part that all pages share: fetches a case, checks the runtime's answer against the oracle's, and times
// runs. `?case=FOLDER` makes the page give one answer by itself, as a visitor's page would.

import {
  type Answer,
  answeredMark,
  type BenchPage,
  type CaseFiles,
  type Feed,
  type FirstAnswer,
  type OpenCase,
  type Prepared,
  type Runtime,
  type TensorFile,
} from './runtime';

/** A run shorter than the first is repeated in a row for about the second, and the mean counts. Milliseconds. */
const [shortRun, row] = [5, 10];
const slowRun = 1000;

/** What every case has, whatever is done with it. */
type Checked = Pick<CaseFiles, 'feeds' | 'expected' | 'tolerance'>;

export function serve<Files extends Checked = CaseFiles>(runtime: Runtime<Files>): void {
  let open: OpenCase | undefined;
  let files: Files | undefined;
  let last = 0;
  const bench: BenchPage = {
    start: () => runtime.start(),
    async prepare(folder) {
      files = await fetchCase<Files>(folder);
      const feeds = await Promise.all(files.feeds.map(fetchFeed));
      open = await runtime.open(files, feeds, { cache: false });
      const start = performance.now();
      const answers = await open.outputs();
      const first = performance.now() - start;
      const prepared = await check(files, answers);
      if (prepared.problem !== undefined) return prepared;
      await open.settled?.();
      // The first run compiles; where it took that long, the next tells no more about how many to run in a row.
      last = first > slowRun ? first : await timed(open);
      return {
        ...prepared,
        ...(open.memory && { memory: open.memory }),
        ...(open.kernels && { kernels: open.kernels() }),
      };
    },
    async time() {
      if (!open) throw new Error('Nothing is prepared.');
      const repeats = last < shortRun ? Math.max(1, Math.round(row / last)) : 1;
      const start = performance.now();
      for (let i = 0; i < repeats; i++) await open.run();
      last = (performance.now() - start) / repeats;
      return last;
    },
    async verify() {
      if (!open || !files) throw new Error('Nothing is prepared.');
      return check(files, await open.outputs());
    },
    async dispose() {
      const closing = open;
      open = undefined;
      await closing?.dispose();
    },
  };
  const folder = new URLSearchParams(location.search).get('case');
  if (folder) bench.firstAnswer = firstAnswer(runtime, folder);
  Object.assign(globalThis, { bench });
}

async function timed(open: OpenCase): Promise<number> {
  const start = performance.now();
  await open.run();
  return performance.now() - start;
}

async function firstAnswer<Files extends Checked>(runtime: Runtime<Files>, folder: string): Promise<FirstAnswer> {
  const starting = runtime.start();
  const files = await fetchCase<Files>(folder);
  const [feeds] = await Promise.all([Promise.all(files.feeds.map(fetchFeed)), starting]);
  const open = await runtime.open(files, feeds, { cache: true });
  const answers = await open.outputs();
  const ms = performance.now();
  performance.mark(answeredMark);
  return { ms, ...(await check(files, answers)) };
}

async function fetchCase<Files>(folder: string): Promise<Files> {
  return (await fetch(`${folder}/case.json`)).json();
}

async function fetchBytes(url: string): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await (await fetch(url)).arrayBuffer());
}

export async function fetchFeed({ name, dtype, dims, url }: TensorFile): Promise<Feed> {
  return { name, dtype, dims, bytes: await fetchBytes(url) };
}

async function check(files: Checked, answers: Readonly<Record<string, Answer>>): Promise<Prepared> {
  let error = 0;
  for (const { name, dims, url } of files.expected) {
    const answer = answers[name];
    if (!answer) return { problem: `no output "${name}"` };
    if (answer.dims.join() !== dims.join()) return { problem: `${name} is [${answer.dims}], expected [${dims}]` };
    error = Math.max(error, relativeError(answer.data, new Float32Array((await fetchBytes(url)).buffer)));
  }
  if (error <= files.tolerance) return { error };
  return { error, problem: `wrong by ${error.toExponential(1)} of the scale` };
}

function relativeError(got: ArrayLike<number | bigint>, want: Float32Array): number {
  let [scale, worst] = [0, 0];
  for (let i = 0; i < want.length; i++) {
    const expected = want[i] as number;
    const error = Math.abs(Number(got[i]) - expected);
    if (!(error <= worst)) worst = Number.isNaN(error) ? Number.POSITIVE_INFINITY : error;
    scale = Math.max(scale, Math.abs(expected));
  }
  return scale === 0 ? worst : worst / scale;
}
