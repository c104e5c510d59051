// Masks as runs: stretches of columns, from left to right, and within a column from top to bottom, as `masks/runs.py`
// keeps them. No run is empty, and no two runs touch in a column.

import type { Mask, Size } from './values.ts';

// Run k covers rows tops[k] <= y < bottoms[k] of its column.
export interface Runs {
  readonly columns: Int32Array;
  readonly tops: Int32Array;
  readonly bottoms: Int32Array;
}

// A mask within a window, row by row: x, y of the window on the photo.
export interface Crop extends Mask {
  readonly x: number;
  readonly y: number;
}

export type Bounds = readonly [number, number, number, number]; // x0, y0, x1, y1 in whole pixels

// Collects runs that come in order: drops empty ones, and joins those that touch in a column.
export class Collected {
  private readonly columns: number[] = [];
  private readonly tops: number[] = [];
  private readonly bottoms: number[] = [];

  add(column: number, top: number, bottom: number): void {
    if (top >= bottom) return;
    const last = this.columns.length - 1;
    if (last >= 0 && this.columns[last] === column && top <= this.bottoms[last]) {
      this.bottoms[last] = Math.max(bottom, this.bottoms[last]);
      return;
    }
    this.columns.push(column);
    this.tops.push(top);
    this.bottoms.push(bottom);
  }

  get runs(): Runs {
    return { columns: Int32Array.from(this.columns), tops: Int32Array.from(this.tops), bottoms: Int32Array.from(this.bottoms) };
  }
}

// Adds the runs of one photo column, from logits on coarse rows. Each run ends where the line between two logits
// crosses 0. row: of the first logit; photo row y is at coarse row scale * (y + 0.5) + shift; first, last: rows allowed
export function crossings(
  found: Collected, column: number, logits: Float32Array, row: number, scale: number, shift: number, first: number, last: number,
): void {
  const n = logits.length;
  let top = first, inside = n > 0 && logits[0] > 0;
  for (let r = 1; r < n; r++) {
    if (logits[r] > 0 === inside) continue;
    const a = logits[r - 1], b = logits[r], place = (row + r - 1 + a / (a - b) - shift) / scale - 0.5;
    const exact = Math.min(Math.max(a > 0 ? Math.ceil(place) : Math.floor(place) + 1, first), last);
    if (inside) found.add(column, top, exact); else top = exact;
    inside = !inside;
  }
  if (inside) found.add(column, top, last);
}

export function areaOf({ tops, bottoms }: Runs): number {
  let area = 0;
  for (let k = 0; k < tops.length; k++) area += bottoms[k] - tops[k];
  return area;
}

// Bounds of the pixels; all 0 if there are none.
export function boundsOf({ columns, tops, bottoms }: Runs): Bounds {
  if (!columns.length) return [0, 0, 0, 0];
  let top = Infinity, bottom = 0;
  for (let k = 0; k < tops.length; k++) {
    top = Math.min(top, tops[k]);
    bottom = Math.max(bottom, bottoms[k]);
  }
  return [columns[0], top, columns[columns.length - 1] + 1, bottom];
}

// The pixels within their bounds.
export function cropOf(runs: Runs): Crop {
  const [x, y, x1, y1] = boundsOf(runs), width = x1 - x, height = y1 - y, data = new Uint8Array(width * height);
  paint(runs, data, width, 1, x, y);
  return { x, y, width, height, data };
}

// Sets a mask's pixels on a canvas of some width to `value`. x, y: of the canvas on the photo
export function paint(runs: Runs, canvas: Uint8Array | Int32Array, width: number, value: number, x = 0, y = 0): void {
  const { columns, tops, bottoms } = runs;
  for (let k = 0; k < columns.length; k++) {
    let at = (tops[k] - y) * width + columns[k] - x;
    for (let row = tops[k]; row < bottoms[k]; row++, at += width) canvas[at] = value;
  }
}

export function maskOf(runs: Runs, { width, height }: Size): Mask {
  const data = new Uint8Array(width * height);
  paint(runs, data, width, 1);
  return { width, height, data };
}

// The runs of a mask: every value that is not 0 is in it.
export function runsOf({ width, height, data }: { width: number; height: number; data: ArrayLike<number> }): Runs {
  const found = new Collected();
  for (let x = 0; x < width; x++) {
    let top = -1;
    for (let y = 0, at = x; y < height; y++, at += width) {
      if (data[at]) { if (top < 0) top = y; } else if (top >= 0) { found.add(x, top, y); top = -1; }
    }
    if (top >= 0) found.add(x, top, height);
  }
  return found.runs;
}

// Number of pixels that two masks share.
export function shared(a: Runs, b: Runs): number {
  let sum = 0;
  for (let i = 0, k = 0; i < a.columns.length && k < b.columns.length;) {
    const apart = a.columns[i] - b.columns[k];
    if (apart === 0) sum += Math.max(0, Math.min(a.bottoms[i], b.bottoms[k]) - Math.max(a.tops[i], b.tops[k]));
    if (apart < 0 || (apart === 0 && a.bottoms[i] <= b.bottoms[k])) i++; else k++;
  }
  return sum;
}

export function iouOf(a: Runs, b: Runs): number {
  const both = shared(a, b);
  return both / Math.max(1, areaOf(a) + areaOf(b) - both);
}
