// Chooses the windows on the photo in which a prompt is drawn, each with its prompt maps, by the rule at the top of
// `refine/views.py`.

import type { Candidate } from '../answer.ts';
import { onPhoto } from '../geometry.ts';
import { foreground, type Checked } from '../prompt.ts';
import { boundsOf, cropOf, type Runs } from '../runs.ts';
import type { Box, Point, Size } from '../values.ts';
import { about, boxIn, pointIn, see, type Window } from './crop.ts';
import * as m from './maps.ts';

export const CONTEXT = 1.4; // side of a window, relative to the longer side of the box it shows
const LOOSE = 1.6; // the same for several clicks
const SCALES = [0.5, 0.125]; // sides of windows around a click alone, relative to the photo's longer side
const FIRST = [96]; // sizes of crops for a click's first looks
const FITS = 0.8; // minimum IoU of a box and its mask's box for the box not to be seen alone
const ALONE = 0.3; // prior of a click without a rough mask

// origin: index of the segment that gives the rough mask; prior: how likely this view is, 0..1
export interface View {
  readonly window: Window;
  readonly maps: m.Maps;
  readonly origin: number | null;
  readonly prior: number;
}

export function views(prompt: Checked, chosen: readonly Candidate[], size: Size): View[] {
  const best = chosen.slice(0, 1);
  if (prompt.mask) {
    const window = about(reach(prompt.box ?? boundsOf(prompt.mask), prompt.points), CONTEXT);
    return [{ window, maps: said(prompt, window, sharesIn(prompt.mask, window)), origin: null, prior: 1 }];
  }
  if (prompt.box) {
    const window = about(reach(onPhoto(prompt.box, size), prompt.points), CONTEXT);
    const found: View[] = best.map(({ runs, index }) => (
      { window, maps: said(prompt, window, sharesIn(runs, window)), origin: index, prior: 1 }));
    if (!best.length || best[0].how !== 'mask' || best[0].score < FITS) {
      found.push({ window, maps: said(prompt, window), origin: null, prior: 1 });
    }
    return found;
  }
  const rough = best.map(({ runs, index, score }) => {
    const window = about(reach(boundsOf(runs), prompt.points), CONTEXT, FIRST);
    return { window, maps: said(prompt, window, sharesIn(runs, window)), origin: index, prior: score };
  });
  return [...rough, ...alone(prompt, size)];
}

// Views of a prompt with points alone, one per scale at which the foreground points fit.
function alone(prompt: Checked, size: Size): View[] {
  const inner = foreground(prompt), spread = reach([...inner[0], ...inner[0]], inner);
  const longest = Math.max(spread[2] - spread[0], spread[3] - spread[1]) * LOOSE;
  const x = (spread[0] + spread[2]) / 2, y = (spread[1] + spread[3]) / 2;
  return SCALES.flatMap((scale) => {
    const half = Math.max(Math.max(size.width, size.height) * scale, scale === SCALES[0] ? longest : 0) / 2;
    if (2 * half < longest) return [];
    const window = about(inside([x - half, y - half, x + half, y + half], size), 1, FIRST);
    return [{ window, maps: said(prompt, window), origin: null, prior: ALONE }];
  });
}

// The maps of a prompt in a window. rough: shares of a rough mask, if there is one
export function said({ points, labels, box }: Checked, window: Window, rough?: Float32Array): m.Maps {
  const maps = m.empty(window.size);
  if (rough) m.putMask(maps, rough);
  if (box) m.putBox(maps, boxIn(window, box));
  points.forEach((point, k) => m.putClick(maps, pointIn(window, point), labels[k] === 1));
  return maps;
}

// Share of each cell of a window that a mask covers.
export function sharesIn(runs: Runs, window: Window): Float32Array {
  const { x, y, width, height, data } = cropOf(runs), w = width + 2, padded = new Uint8Array(w * (height + 2));
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) padded[(row + 1) * w + column + 1] = data[row * width + column] && 255;
  }
  const moved = { ...window, x0: window.x0 - x + 1, y0: window.y0 - y + 1 };
  return m.sharesOf(see({ width: w, height: height + 2, channels: 1, data: padded }, moved));
}

// The smallest box around a box and points.
export function reach([x0, y0, x1, y1]: Box, points: readonly Point[]): Box {
  const xs = points.map((p) => p[0]), ys = points.map((p) => p[1]);
  return [Math.min(x0, ...xs), Math.min(y0, ...ys), Math.max(x1, ...xs), Math.max(y1, ...ys)];
}

// A square moved onto a photo, as far as it fits.
function inside([x0, y0, x1]: Box, { width, height }: Size): Box {
  const side = x1 - x0;
  const left = side >= width ? (width - side) / 2 : Math.min(Math.max(x0, 0), width - side);
  const top = side >= height ? (height - side) / 2 : Math.min(Math.max(y0, 0), height - side);
  return [left, top, left + side, top + side];
}
