// The first message a worker sends, before Comlink takes the port over.
export const readyMessage = 'lepton-worker-ready';
