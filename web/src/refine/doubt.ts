// Decides whether the mask of a prompt can be believed, as `refine/doubt.py`.

import { foreground, type Checked } from '../prompt.ts';
import { areaOf, maskOf } from '../runs.ts';
import type { Mask, Point, Size } from '../values.ts';

const DEEP = 0.15; // depth of a background click in a mask that is mostly wrong, relative to the square root of its area

// The prompt; without its mask if a background click lies deep in it, and a foreground click says what is meant.
export function believed(prompt: Checked, size: Size): Checked {
  if (!prompt.mask || !foreground(prompt).length) return prompt;
  const outside = prompt.points.filter((_, k) => !prompt.labels[k]);
  if (!outside.length) return prompt;
  const mask = maskOf(prompt.mask, size), depth = DEEP * Math.sqrt(areaOf(prompt.mask));
  return outside.some((point) => deep(mask, point, depth)) ? { ...prompt, mask: null } : prompt;
}

// Whether all pixels up to `depth` from the pixel of a point are in a mask, and in the photo.
function deep({ data, width, height }: Mask, point: Point, depth: number): boolean {
  const [column, row] = point.map(Math.floor), reach = Math.floor(depth);
  if (row < reach || column < reach || row + reach >= height || column + reach >= width) return false;
  for (let y = -reach; y <= reach; y++) {
    for (let x = -reach; x <= reach; x++) {
      if (Math.hypot(x, y) <= depth && !data[(row + y) * width + column + x]) return false;
    }
  }
  return true;
}
