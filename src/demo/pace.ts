// Small pauses that keep the page's main thread free.

/** Resolves in a new task, after input and painting had their chance. */
export function nextTask(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}

/** Calls `act` with the newest value once a frame, however often it is given one. */
export function onceAFrame<T>(act: (value: T) => void): (value: T) => void {
  let waiting: { value: T } | undefined;
  return (value) => {
    if (!waiting) {
      requestAnimationFrame(() => {
        const { value: newest } = waiting!;
        waiting = undefined;
        act(newest);
      });
    }
    waiting = { value };
  };
}
