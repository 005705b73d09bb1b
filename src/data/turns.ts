// Lets the page have its turn: long work on its thread stops every few milliseconds for input and drawing.

/** Milliseconds: half a frame. */
const longest = 8;

interface Scheduler {
  yield?(): Promise<void>;
}

/** A function to await between pieces of work, which waits only where the last turn is some time ago. */
export function turns(): () => Promise<void> | undefined {
  let last = performance.now();
  return () => {
    if (performance.now() - last < longest) return undefined;
    return yielded().then(() => {
      last = performance.now();
    });
  };
}

function yielded(): Promise<void> {
  const { scheduler } = globalThis as { scheduler?: Scheduler };
  return scheduler?.yield?.() ?? new Promise((resume) => setTimeout(resume));
}
