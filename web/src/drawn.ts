// Masks as logits on a square grid, as the second network draws them, and as `masks/drawn.py` reads them.

import { clip } from './numbers.ts';
import { Collected, crossings, type Runs } from './runs.ts';
import type { Point, Size } from './values.ts';

// logits: (n, n), row by row; left, top, side: of the grid in photo pixels
export interface Grid {
  readonly logits: Float32Array;
  readonly n: number;
  readonly left: number;
  readonly top: number;
  readonly side: number;
}

// The runs of a grid's mask on a photo: pixels whose centre is on the grid and whose logit is above 0.
export function runsOfGrid({ logits, n, left, top, side }: Grid, { width, height }: Size): Runs {
  const found = new Collected(), scale = n / side;
  const x0 = Math.max(Math.ceil(left - 0.5), 0), y0 = Math.max(Math.ceil(top - 0.5), 0);
  const x1 = Math.min(Math.ceil(left + side - 0.5), width), y1 = Math.min(Math.ceil(top + side - 0.5), height);
  if (x0 >= x1 || y0 >= y1) return found.runs;
  const column = new Float32Array(n);
  for (let x = x0; x < x1; x++) {
    const place = clip((x + 0.5 - left) * scale - 0.5, 0, n - 1), first = Math.min(Math.floor(place), Math.max(0, n - 2));
    const share = place - first, second = Math.min(first + 1, n - 1);
    for (let r = 0, at = 0; r < n; r++, at += n) column[r] = logits[at + first] * (1 - share) + logits[at + second] * share;
    crossings(found, x, column, 0, scale, -top * scale - 0.5, y0, y1);
  }
  return found.runs;
}

// The logit at a point in photo pixels, which stands for its pixel; minus infinity outside the grid.
export function logitOfGrid({ logits, n, left, top, side }: Grid, [px, py]: Point): number {
  const x = Math.floor(px) + 0.5, y = Math.floor(py) + 0.5;
  if (x < left || y < top || x >= left + side || y >= top + side) return -Infinity;
  const column = clip((x - left) * n / side - 0.5, 0, n - 1), row = clip((y - top) * n / side - 0.5, 0, n - 1);
  return bilinear(logits, n, column, row);
}

// A grid's value between the centres of its cells.
export function bilinear(values: Float32Array, n: number, column: number, row: number): number {
  const c0 = Math.floor(column), r0 = Math.floor(row), c1 = Math.min(c0 + 1, n - 1), r1 = Math.min(r0 + 1, n - 1);
  const across = column - c0, down = row - r0;
  const above = values[r0 * n + c0] * (1 - across) + values[r0 * n + c1] * across;
  const below = values[r1 * n + c0] * (1 - across) + values[r1 * n + c1] * across;
  return above * (1 - down) + below * down;
}
