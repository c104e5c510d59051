// Ranks masks by how well they answer points, boxes and masks, as `prompts/geometry.py` does. 0: does not answer.

import { largest, mean, probability } from './numbers.ts';
import { areaOf, shared, type Runs } from './runs.ts';
import type { Box, Point, Size } from './values.ts';

const LEAST_IOU = 0.5; // minimum IoU of a mask's box with the prompt's
const WITHIN = 0.9; // minimum share of a mask's box within the prompt's box, for the mask to be a part
const LEAST_COMMON_IOU = 0.7; // minimum IoU for the common box of such parts
const OFF_CENTRE = 0.3; // deviation of a click from its object's centre, in widths and heights of its box
const LEAST_MASK_IOU = 0.25; // minimum IoU of pixels

// What points mean is decided by: boxes (N, 4), scores (N), logits (N, P) at the P points, the points and their labels.
export interface Seen {
  readonly boxes: ArrayLike<number>;
  readonly scores: ArrayLike<number>;
  readonly logits: Float64Array;
  readonly points: readonly Point[];
  readonly labels: readonly number[];
}

// Masks to unite, their rank, masks to subtract.
export interface Made {
  readonly plus: readonly number[];
  readonly minus: readonly number[];
  readonly score: number;
}

export function boxAt(boxes: ArrayLike<number>, i: number): Box {
  return [boxes[4 * i], boxes[4 * i + 1], boxes[4 * i + 2], boxes[4 * i + 3]];
}

export function onPhoto([x0, y0, x1, y1]: Box, { width, height }: Size): Box {
  return [Math.max(x0, 0), Math.max(y0, 0), Math.min(x1, width), Math.min(y1, height)];
}

export function sharedArea(a: Box, b: Box): number {
  const w = Math.min(a[2], b[2]) - Math.max(a[0], b[0]), h = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  return Math.max(w, 0) * Math.max(h, 0);
}

export function boxArea(box: Box): number {
  return (box[2] - box[0]) * (box[3] - box[1]);
}

export function boxIou(a: Box, b: Box): number {
  const overlap = sharedArea(a, b);
  return overlap / Math.max(boxArea(a) + boxArea(b) - overlap, 1e-9);
}

// A mask must contain every foreground point and no other. asked: [number of a point, whether it is foreground here]
function rankByAsked({ boxes, scores, logits, points }: Seen, asked: readonly (readonly [number, boolean])[]): Float64Array {
  const n = scores.length, p = points.length, held = asked.filter(([, on]) => on).map(([k]) => k);
  const fits = Array.from({ length: n }, (_, i) => asked.every(([k, on]) => logits[i * p + k] > 0 === on));
  if (!held.length) return Float64Array.from(fits, Number);
  const middle: Point = [mean(held.map((k) => points[k][0])), mean(held.map((k) => points[k][1]))];
  const areas = Array.from({ length: n }, (_, i) => Math.max(boxArea(boxAt(boxes, i)), 1));
  const smallest = Math.min(...areas.filter((_, i) => fits[i]));
  return Float64Array.from(fits, (fit, i) => {
    if (!fit) return 0;
    const least = probability(Math.min(...held.map((k) => logits[i * p + k])));
    return scores[i] ** 0.25 * least ** 2 * central(boxAt(boxes, i), middle, OFF_CENTRE) * (smallest / areas[i]) ** 0.1;
  });
}

export function rankByPoints(seen: Seen): Float64Array {
  return rankByAsked(seen, seen.labels.map((label, k) => [k, label === 1] as const));
}

// 1 if a point is the centre of a box, and less the further it is from the centre.
export function central([x0, y0, x1, y1]: Box, [x, y]: Point, deviation: number): number {
  const u = (x - (x0 + x1) / 2) / Math.max(x1 - x0, 1e-9), v = (y - (y0 + y1) / 2) / Math.max(y1 - y0, 1e-9);
  return Math.exp(-0.5 * (u * u + v * v) / deviation ** 2);
}

export function rankByBox(boxes: ArrayLike<number>, wanted: Box, size: Size): Float64Array {
  const box = onPhoto(wanted, size);
  return Float64Array.from({ length: boxes.length / 4 }, (_, i) => {
    const iou = boxIou(boxAt(boxes, i), box);
    return iou >= LEAST_IOU ? iou : 0;
  });
}

export function rankByMask(masks: readonly Runs[], wanted: Runs): Float64Array {
  const area = areaOf(wanted);
  return Float64Array.from(masks, (runs) => {
    const own = areaOf(runs);
    if (Math.min(own, area) < LEAST_MASK_IOU * Math.max(own, area)) return 0;
    const both = shared(runs, wanted), iou = both / (area + own - both);
    return iou >= LEAST_MASK_IOU ? iou : 0;
  });
}

// The union of all masks whose boxes lie within the wanted box; null if their common box does not fit it.
export function unionWithin(boxes: ArrayLike<number>, wanted: Box, size: Size): Made | null {
  const box = onPhoto(wanted, size), every = Array.from({ length: boxes.length / 4 }, (_, i) => boxAt(boxes, i));
  const plus = every.flatMap((own, i) => (sharedArea(own, box) >= WITHIN * boxArea(own) ? [i] : []));
  if (!plus.length) return null;
  const parts = plus.map((i) => every[i]);
  const common: Box = [
    Math.min(...parts.map((b) => b[0])), Math.min(...parts.map((b) => b[1])),
    Math.max(...parts.map((b) => b[2])), Math.max(...parts.map((b) => b[3])),
  ];
  const score = boxIou(common, box);
  return score >= LEAST_COMMON_IOU ? { plus, score, minus: [] } : null;
}

// The union of the best masks for each foreground point; null if a point has no mask.
export function union(seen: Seen): Made | null {
  const { logits, labels } = seen, p = labels.length, plus: number[] = [];
  const background = labels.flatMap((label, k) => (label ? [] : [[k, false] as const]));
  let score = 1;
  for (let k = 0; k < p; k++) {
    if (!labels[k] || plus.some((i) => logits[i * p + k] > 0)) continue;
    const ranks = rankByAsked(seen, [...background, [k, true]]), best = largest(ranks);
    if (!(ranks[best] > 0)) return null;
    plus.push(best);
    score = Math.min(score, ranks[best]);
  }
  return plus.length > 1 ? { plus, score, minus: [] } : null;
}

// The best mask for all foreground points, minus the masks at the background points within it.
export function difference(seen: Seen): Made | null {
  const { logits, labels } = seen, p = labels.length;
  const inner = labels.flatMap((label, k) => (label ? [k] : [])), outer = labels.flatMap((label, k) => (label ? [] : [k]));
  const ranks = rankByAsked(seen, inner.map((k) => [k, true] as const)), whole = largest(ranks);
  if (!outer.length || !(ranks[whole] > 0)) return null;
  const minus: number[] = [];
  let score = ranks[whole];
  for (const k of outer) {
    if (logits[whole * p + k] <= 0 || minus.some((i) => logits[i * p + k] > 0)) continue;
    // Foreground of the whole is background of the part to subtract.
    const parts = rankByAsked(seen, [...inner.map((one) => [one, false] as const), [k, true]]), best = largest(parts);
    if (!(parts[best] > 0)) return null;
    minus.push(best);
    score = Math.min(score, parts[best]);
  }
  return minus.length ? { plus: [whole], score, minus } : null;
}
