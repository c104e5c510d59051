// A photo's pixels, from what a browser has: files, bitmaps, pixels. Turned as the file says, transparency on white.

import { FastSAMError, ours } from './errors.ts';
import type { Pixels } from './values.ts';

export const MOST_PIXELS = 100_000_000;
const UNREADABLE = 'this is not a photo that the browser can read: save it as JPEG or PNG';

export type Source = Blob | ImageBitmap | Pixels;

export async function pixelsOf(source: Source): Promise<Pixels> {
  if ('data' in source) return checkedPixels(source);
  let bitmap: ImageBitmap;
  try {
    bitmap = 'arrayBuffer' in source ? await createImageBitmap(source, { colorSpaceConversion: 'none' }) : source;
  } catch {
    throw new FastSAMError('photo', UNREADABLE);
  }
  try {
    return drawn(bitmap);
  } finally {
    bitmap.close();
  }
}

function drawn(bitmap: ImageBitmap): Pixels {
  const { width, height } = bitmap;
  checkSize(width, height);
  try {
    const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
    if (!context) throw new RangeError('no canvas');
    context.fillStyle = '#fff';
    context.fillRect(0, 0, width, height);
    context.drawImage(bitmap, 0, 0);
    return { width, height, channels: 4, data: context.getImageData(0, 0, width, height).data };
  } catch (error) {
    throw ours(error, 'memory', 'the browser cannot hold the photo');
  }
}

function checkedPixels({ width, height, channels, data }: Pixels): Pixels {
  checkSize(width, height);
  if (data.length !== width * height * channels) {
    throw new FastSAMError('photo', `a photo of ${width} x ${height} pixels must have ${width * height * channels} values, not ${data.length}`);
  }
  return channels === 4 ? { width, height, channels, data: onWhite(data) } : { width, height, channels, data };
}

function onWhite(data: Uint8Array | Uint8ClampedArray): Uint8ClampedArray {
  const found = new Uint8ClampedArray(data);
  for (let at = 0; at < found.length; at += 4) {
    const alpha = found[at + 3] / 255;
    if (alpha < 1) for (let c = 0; c < 3; c++) found[at + c] = 255 + (found[at + c] - 255) * alpha;
  }
  return found;
}

function checkSize(width: number, height: number): void {
  if (!(Number.isInteger(width) && Number.isInteger(height) && width > 0 && height > 0)) {
    throw new FastSAMError('photo', `a photo cannot have ${width} x ${height} pixels`);
  }
  if (width * height > MOST_PIXELS) {
    throw new FastSAMError('photo', `a photo of ${width} x ${height} pixels is too large: make it smaller than ${MOST_PIXELS / 1e6} megapixels`);
  }
}
