// Asks the browser, without starting anything, whether models can run on its GPU.

/** Whether WebGPU offers an adapter here. Never throws. */
export async function isSupported(): Promise<boolean> {
  try {
    return (await navigator.gpu?.requestAdapter()) != null;
  } catch {
    return false;
  }
}
