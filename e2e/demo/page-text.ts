// What the tests of the demo's pages look at: texts by their ids, and what a button hands to the browser.

import type { TestPage } from '../support/browsers';

/** In the page: an element's text is like this. */
export function says([id, pattern]: readonly [string, string] | readonly string[]): boolean {
  return new RegExp(pattern as string).test(document.getElementById(id as string)?.textContent ?? '');
}

export function text(page: TestPage, id: string): Promise<string> {
  return page.evaluate((name) => document.getElementById(name)?.textContent ?? '', id);
}

/** The bytes that the download button hands out. */
export function downloaded(page: TestPage): Promise<number[]> {
  return page.evaluate(async () => {
    const original = URL.createObjectURL;
    const blob = await new Promise<Blob>((resolve) => {
      URL.createObjectURL = (object: Blob) => {
        resolve(object);
        return original(object);
      };
      document.getElementById('download')?.click();
    });
    URL.createObjectURL = original;
    return [...new Uint8Array(await blob.arrayBuffer())];
  });
}
