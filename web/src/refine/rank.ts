// Decides which drawing a click means, by the rule at the top of `refine/rank.py`.

import { boxArea, central, sharedArea } from '../geometry.ts';
import { clip, mean, probability } from '../numbers.ts';
import { foreground, type Checked } from '../prompt.ts';
import type { Lines } from '../settings.ts';
import type { Box, Size } from '../values.ts';
import { pointIn, type Window } from './crop.ts';
import { CELL } from './maps.ts';
import type { View } from './views.ts';

const BROKEN = 0.5; // factor on the quality for a point that the drawing contradicts
const OFF_CENTRE = 0.68; // deviation of a click from its object's centre, in widths and heights of its box
const LEAST_PRIOR = 0.03;
const QUALITY = 1.7, PRIOR = 0.86, AGREEMENT = 0.3, SMALL = 0.4; // powers
const SURE = 0.4; // a rough mask with at least this prior counts `TRUST` times as much
const TRUST = 1.9;
const CUT = 0.56; // factor per side of the window that cuts a drawing off inside the photo

// One mask on a window: its logits (n, n), its predicted IoU, and the view that it answers.
export interface Drawing {
  readonly view: View;
  readonly logits: Float32Array;
  readonly n: number;
  readonly quality: number;
}

// First and last + 1 column and row of cells above 0; null if there are none.
function cells({ logits, n }: Drawing): Box | null {
  let [x0, y0, x1, y1] = [n, n, 0, 0];
  for (let y = 0, at = 0; y < n; y++) {
    for (let x = 0; x < n; x++, at++) {
      if (!(logits[at] > 0)) continue;
      x0 = Math.min(x0, x); y0 = Math.min(y0, y); x1 = Math.max(x1, x + 1); y1 = Math.max(y1, y + 1);
    }
  }
  return x1 ? [x0, y0, x1, y1] : null;
}

// Bounds of the mask in photo pixels, exact to a cell; null if it is empty.
export function boxOf(drawing: Drawing): Box | null {
  const found = cells(drawing), { x0, y0, side } = drawing.view.window, step = side / drawing.n;
  return found && [x0 + found[0] * step, y0 + found[1] * step, x0 + found[2] * step, y0 + found[3] * step];
}

// Number of window sides that cut the mask off inside the photo.
export function cuts(drawing: Drawing, { width, height }: Size): number {
  const found = cells(drawing), { x0, y0, side } = drawing.view.window, { n } = drawing;
  if (!found) return 0;
  const rims = [x0 > 0 && found[0] === 0, y0 > 0 && found[1] === 0, x0 + side < width && found[2] === n, y0 + side < height && found[3] === n];
  return rims.filter(Boolean).length;
}

// A drawing's quality, times `BROKEN` per point of the prompt that it contradicts.
function judged({ view, logits, n, quality }: Drawing, { points, labels }: Checked): number {
  return points.reduce((left, point, k) => {
    const [column, row] = pointIn(view.window, point).map((v) => Math.floor(v / CELL));
    const held = column >= 0 && column < n && row >= 0 && row < n && logits[row * n + column] > 0;
    return held === (labels[k] === 1) ? left : left * BROKEN;
  }, quality);
}

// Ranks of a prompt's drawings; 0 for an empty one.
export function ranks(found: readonly Drawing[], prompt: Checked, size: Size): number[] {
  const boxes = found.map(boxOf), quality = found.map((d, k) => (boxes[k] ? judged(d, prompt) : 0));
  if (prompt.box || prompt.mask || !quality.some((q) => q > 0)) return quality;
  const { width, height } = size, inner = foreground(prompt), middle = [mean(inner.map((p) => p[0])), mean(inner.map((p) => p[1]))] as const;
  const b = boxes.map((box): Box => {
    const [x0, y0, x1, y1] = box ?? [0, 0, 1, 1]; // a window, and so a drawing, can reach beyond the photo
    return [clip(x0, 0, width), clip(y0, 0, height), clip(x1, 0, width), clip(y1, 0, height)];
  });
  const areas = found.map(({ logits, n, view }, k) => {
    const own = logits.reduce((sum, logit) => sum + Number(logit > 0), 0) * (view.window.side / n) ** 2;
    const sides = Math.max(b[k][2] - b[k][0], 1e-6) * Math.max(b[k][3] - b[k][1], 1e-6);
    return Math.max(Math.min(own, sides), 1);
  });
  const agreed = agreement(b, areas, quality, found.map((d) => d.view.window));
  return found.map((drawing, k) => {
    const { prior, origin } = drawing.view;
    return quality[k] ** QUALITY * central(b[k], middle, OFF_CENTRE) * Math.max(prior, LEAST_PRIOR) ** PRIOR
      * (origin !== null && prior > SURE ? TRUST : 1) * (width * height / areas[k]) ** SMALL * agreed[k] ** AGREEMENT
      * CUT ** cuts(drawing, size);
  });
}

// Expected IoU of drawings with these ranks, 0..1; 0 for a rank of 0.
export function qualities(rated: readonly number[], prompt: Checked, lines: Lines): number[] {
  const told = prompt.box !== null || prompt.mask !== null, [shift, slope] = told ? lines.told : lines.meant;
  return rated.map((rank) => {
    if (!(rank > 0)) return 0;
    const share = clip(rank, 1e-6, 1 - 1e-6);
    return probability(shift + slope * (told ? Math.log(share / (1 - share)) : Math.log(Math.max(rank, 1e-6))));
  });
}

// How well each drawing agrees with the best drawing of each other window, by box and area.
function agreement(boxes: readonly Box[], areas: readonly number[], quality: readonly number[], windows: readonly Window[]): number[] {
  const keys = windows.map(({ x0, y0, side, size }) => [x0, y0, side, size].join()), kinds = [...new Set(keys)];
  return boxes.map((box, i) => {
    const best = kinds.map((kind) => Math.max(0, ...boxes.map((other, k) => {
      if (keys[k] !== kind || keys[i] === kind) return 0;
      const both = sharedArea(box, other), alike = both / (boxArea(box) + boxArea(other) - both);
      return alike * Math.min(areas[i], areas[k]) / Math.max(areas[i], areas[k]) * quality[k];
    })));
    return 0.02 + best.reduce((sum, vote) => sum + vote, 0) / Math.max(1, kinds.length - 1);
  });
}
