// Where `lepton-compiler.js` is: beside the file that this code came from.

let library: string | undefined;

/** Called by the script-tag entry with its own address. */
export function foundAt(url: string): void {
  library = url;
}

export function compilerUrl(): string {
  if (library) return new URL('lepton-compiler.js', library).href;
  if (import.meta.env.DEV) return new URL('../worker/compiler-script.ts', import.meta.url).href;
  // Written like this for the bundlers of others: they find the file and carry it along.
  return new URL(/* @vite-ignore */ './lepton-compiler.js', import.meta.url).href;
}
