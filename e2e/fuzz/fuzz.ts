// Tries damaged models in a process of its own and watches it: a model that hangs, or that takes the process
// down, is a failure with its seed, and a new process goes on with the next one.

import { fork } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Message, Task } from './child';

export interface FuzzReport {
  /** "seed (model): what happened". */
  readonly failures: readonly string[];
  /** How many models ended how: 'read', 'planned', 'ran', or a LeptonError's code. */
  readonly outcomes: ReadonlyMap<string, number>;
}

const root = fileURLToPath(new URL('../..', import.meta.url));
/** Milliseconds without a word: well above the two seconds that the process itself takes for too long. */
const patience = 20_000;
/** Starting takes longer: the sources are compiled first. */
const startPatience = 60_000;
const heapMegabytes = 1024;

export async function fuzz(task: Task): Promise<FuzzReport> {
  const failures: string[] = [];
  const outcomes = new Map<string, number>();
  for (let from = task.from; from < task.to; ) {
    const { next, died } = await runChild({ ...task, from }, failures, outcomes);
    if (died !== undefined) failures.push(died);
    from = next;
  }
  return { failures, outcomes };
}

/** Runs until the task is done or the process is gone; answers which seed is next. */
function runChild(
  task: Task,
  failures: string[],
  outcomes: Map<string, number>,
): Promise<{ next: number; died?: string }> {
  const child = fork(join(root, '.ci/ts.mjs'), ['e2e/fuzz/child.ts', task.run], {
    cwd: root,
    execArgv: [`--max-old-space-size=${heapMegabytes}`],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  return new Promise((resolve, reject) => {
    let current: { seed: number; specimen: string } | undefined;
    let complaint = '';
    let why = 'ended the process';
    let finished = false;
    const give = () => {
      why = `hung: nothing for ${patience / 1000} s`;
      child.kill('SIGKILL');
    };
    let timer = setTimeout(give, startPatience);
    child.stderr?.on('data', (text) => {
      complaint = `${complaint}${text}`.slice(-2000);
    });
    child.on('message', (message: Message) => {
      clearTimeout(timer);
      timer = setTimeout(give, patience);
      if (message.kind === 'begin') current = message;
      else if (message.kind === 'done') finished = true;
      else {
        outcomes.set(message.outcome, (outcomes.get(message.outcome) ?? 0) + 1);
        if (message.failure) failures.push(`${message.seed} (${current?.specimen}): ${message.failure}`);
      }
    });
    child.on('close', () => {
      clearTimeout(timer);
      if (finished) resolve({ next: task.to });
      else if (current) resolve({ next: current.seed + 1, died: `${current.seed} (${current.specimen}): ${why}` });
      else reject(new Error(`The process that tries models did not start: ${complaint}`));
    });
    child.send(task);
  });
}
