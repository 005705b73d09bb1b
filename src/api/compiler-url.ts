// Where `lepton-compiler.js` is: beside the file that this code came from.

let library: string | undefined;

/** Called by the script-tag entry with its own address. */
export function foundAt(url: string): void {
  library = url;
}

/** The address of a file beside the script that the page has the library from; undefined where that is a module. */
export function besideScript(file: string): string | undefined {
  return library && new URL(file, library).href;
}

export function compilerUrl(): string {
  const found = besideScript('lepton-compiler.js');
  if (found) return found;
  if (import.meta.env.DEV) return new URL('../worker/compiler-script.ts', import.meta.url).href;
  // Written like this for the bundlers of others: they find the file and carry it along.
  return new URL(/* @vite-ignore */ './lepton-compiler.js', import.meta.url).href;
}
