// Pictures from files, addresses and drawings, as bitmaps of at most `longest` pixels a side: decoding and
// shrinking happen off the main thread, and nothing after it handles twelve megapixels.

export interface Picture {
  readonly title: string;
  readonly bitmap: ImageBitmap;
}

const longest = 1600;

export async function openPicture(title: string, source: Blob): Promise<Picture> {
  const bitmap = await createImageBitmap(source).catch((cause) => {
    throw new Error(`"${title}" is not a picture this browser can read. Try a PNG, JPEG or WebP file.`, { cause });
  });
  const shrink = longest / Math.max(bitmap.width, bitmap.height);
  if (shrink >= 1) return { title, bitmap };
  const small = await createImageBitmap(bitmap, {
    resizeWidth: Math.round(bitmap.width * shrink),
    resizeHeight: Math.round(bitmap.height * shrink),
    resizeQuality: 'high',
  });
  bitmap.close();
  return { title, bitmap: small };
}

export async function fetchPicture(title: string, url: string, signal: AbortSignal): Promise<Picture> {
  const response = await fetch(url, { signal }).catch((cause) => {
    if (signal.aborted) throw cause;
    throw new Error(
      `The picture "${title}" could not be fetched. Check the connection; a picture of your own needs none.`,
      { cause },
    );
  });
  if (!response.ok) throw new Error(`The picture "${title}" did not come: ${url} answered ${response.status}.`);
  return openPicture(title, await response.blob());
}

/** A white digit on black, as the MNIST networks expect it. */
export async function drawDigit(digit: string): Promise<Picture> {
  const side = 280;
  const canvas = new OffscreenCanvas(side, side);
  const context = canvas.getContext('2d')!;
  context.fillStyle = '#000';
  context.fillRect(0, 0, side, side);
  context.fillStyle = '#fff';
  context.font = `${side * 0.72}px "Segoe Print", "Comic Sans MS", "DejaVu Sans", sans-serif`;
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.fillText(digit, side / 2, side * 0.54);
  return { title: `a drawn ${digit}`, bitmap: await createImageBitmap(canvas) };
}

export const isPictureFile = (file: File): boolean => file.type.startsWith('image/');
export const isModelFile = (file: File): boolean => /\.onnx$/i.test(file.name);
