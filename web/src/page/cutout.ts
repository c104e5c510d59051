// Cuts an object out of its photo, with a softened edge, as `masks/cutout.py`.

import { boundsOf, cropOf, type Runs } from '../runs.ts';
import type { Pixels } from '../values.ts';

const SOFTNESS = 0.8; // pixels: deviation of the blur on the mask's edge
const MARGIN = 2; // pixels around the mask, into which its edge fades
const REACH = 3;
const KERNEL = Array.from({ length: 2 * REACH + 1 }, (_, k) => Math.exp(-((k - REACH) ** 2) / (2 * SOFTNESS ** 2)));
const SUM = KERNEL.reduce((sum, weight) => sum + weight, 0);

// RGBA around a mask that has pixels.
export function cutout(photo: Pixels, runs: Runs): Pixels {
  const [left, top, right, bottom] = boundsOf(runs), crop = cropOf(runs);
  const x0 = Math.max(0, left - MARGIN), y0 = Math.max(0, top - MARGIN);
  const width = Math.min(photo.width, right + MARGIN) - x0, height = Math.min(photo.height, bottom + MARGIN) - y0;
  const hard = new Float32Array(width * height);
  for (let y = 0; y < crop.height; y++) {
    for (let x = 0; x < crop.width; x++) hard[(y + top - y0) * width + x + left - x0] = crop.data[y * crop.width + x] * 255;
  }
  const alpha = blurred(blurred(hard, width, height, 1, width), height, width, width, 1);
  const data = new Uint8ClampedArray(4 * width * height);
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0; x < width; x++, to += 4) {
      const from = ((y + y0) * photo.width + x + x0) * photo.channels;
      for (let c = 0; c < 3; c++) data[to + c] = photo.data[from + c];
      data[to + 3] = alpha[y * width + x];
    }
  }
  return { width, height, channels: 4, data };
}

// Lines of `n` values `step` apart, blurred; the border's value goes on beyond it. lines: how many, `next` apart
function blurred(values: Float32Array, n: number, lines: number, step: number, next: number): Float32Array {
  const found = new Float32Array(values.length);
  for (let line = 0; line < lines; line++) {
    for (let k = 0; k < n; k++) {
      let sum = 0;
      for (let r = -REACH; r <= REACH; r++) sum += KERNEL[r + REACH] * values[line * next + Math.min(Math.max(k + r, 0), n - 1) * step];
      found[line * next + k * step] = sum / SUM;
    }
  }
  return found;
}
