// Scales a photo into the network's input, and maps boxes back, as `image/letterbox.py` does.

import { usage } from './errors.ts';
import { clip, rint } from './numbers.ts';
import { resized } from './pictures.ts';
import type { Pixels, Size } from './values.ts';

const PADDING = 114;
const STRIDE = 32;
const LEVEL = Math.fround(1 / 255); // as OpenCV multiplies

// scale: [x, y] input pixels per photo pixel; pad: [left, top] input pixels before the photo; content: of the scaled
// photo in the input
export interface Letterbox {
  readonly photo: Size;
  readonly input: Size;
  readonly scale: readonly [number, number];
  readonly pad: readonly [number, number];
  readonly content: Size;
}

// The letterbox of a photo. imgsz: longest side of the input in pixels
export function fit(photo: Size, imgsz: number): Letterbox {
  if (!Number.isInteger(imgsz) || imgsz < STRIDE) throw usage(`imgsz must be an integer of at least ${STRIDE}, not ${imgsz}`);
  const most = Math.ceil(imgsz / STRIDE) * STRIDE;
  const ratio = Math.min(most / photo.height, most / photo.width);
  const width = Math.max(1, rint(photo.width * ratio)), height = Math.max(1, rint(photo.height * ratio));
  const across = (STRIDE - (width % STRIDE)) % STRIDE, down = (STRIDE - (height % STRIDE)) % STRIDE;
  return {
    photo,
    input: { width: width + across, height: height + down },
    scale: [width / photo.width, height / photo.height],
    pad: [Math.max(0, rint(across / 2 - 0.1)), Math.max(0, rint(down / 2 - 0.1))],
    content: { width, height },
  };
}

// The input (3, h, w), 0..1: the photo resized bilinearly and padded with grey.
export function tensor(photo: Pixels, { input, pad, content }: Letterbox): Float32Array {
  const small = resized(photo, content), area = input.width * input.height;
  const found = new Float32Array(3 * area).fill(PADDING * LEVEL);
  for (let y = 0; y < content.height; y++) {
    let from = y * content.width * small.channels, to = (y + pad[1]) * input.width + pad[0];
    for (let x = 0; x < content.width; x++, from += small.channels, to++) {
      for (let c = 0; c < 3; c++) found[c * area + to] = small.data[from + c] * LEVEL;
    }
  }
  return found;
}

// Boxes (N, 4) from input pixels to photo pixels, clipped to the photo.
export function toPhoto({ photo, scale, pad }: Letterbox, boxes: Float32Array): Float32Array {
  const limits = [photo.width, photo.height];
  return boxes.map((value, k) => clip((value - pad[k % 2]) / scale[k % 2], 0, limits[k % 2]));
}
