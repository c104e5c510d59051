// Masks as coefficients and prototypes, as the network gives them, and as `masks/prototyped.py` reads them.
//
// A pixel belongs to a mask if its centre is in the mask's window and the logit there, interpolated bilinearly between
// the centres of prototype cells, is above 0.

import type { Letterbox } from './letterbox.ts';
import { clip } from './numbers.ts';
import { Collected, crossings, type Runs } from './runs.ts';
import type { Point, Size } from './values.ts';

// coefficients: (N, k); prototypes: (k, h, w); windows: (N, 4) in photo pixels; cell: input pixels per cell
export interface Prototyped {
  readonly coefficients: Float32Array;
  readonly prototypes: Float32Array;
  readonly k: number;
  readonly w: number;
  readonly h: number;
  readonly cell: number;
  readonly letterbox: Letterbox;
  readonly windows: Float32Array;
}

// Boxes (N, 4) with each side moved outwards by a share of the box's length, as `masks/lazy.py` widens them.
export function widen(boxes: Float32Array, margin: number, photo: Size): Float32Array {
  const found = new Float32Array(boxes);
  for (let at = 0; at < boxes.length; at += 4) {
    const w = boxes[at + 2] - boxes[at], h = boxes[at + 3] - boxes[at + 1];
    const share = margin * Math.sqrt(w * h / (photo.width * photo.height));
    found.set([boxes[at] - w * share, boxes[at + 1] - h * share, boxes[at + 2] + w * share, boxes[at + 3] + h * share], at);
  }
  return found;
}

// First and last + 1 cell whose centre is on the photo. Cells on padding never enter the interpolation.
function content({ letterbox, cell }: Prototyped, axis: 0 | 1): [number, number] {
  const pad = letterbox.pad[axis], length = axis ? letterbox.content.height : letterbox.content.width;
  const first = Math.ceil((2 * pad - cell) / (2 * cell)), last = Math.ceil((2 * (pad + length) - cell) / (2 * cell));
  return [first, Math.max(first + 1, last)];
}

// Photo pixels as cells; the centre of cell k is k.
function toCells(source: Prototyped, position: number, axis: 0 | 1): number {
  const { scale, pad } = source.letterbox, [first, last] = content(source, axis);
  return clip((position * scale[axis] + pad[axis]) / source.cell - 0.5, first, last - 1);
}

// First and last + 1 cell that interpolation on pixels `low` to `high` reads.
function cellsOf(source: Prototyped, low: number, high: number, axis: 0 | 1): [number, number] {
  const [first, last] = content(source, axis);
  return [
    Math.max(Math.trunc(toCells(source, low + 0.5, axis)), first),
    Math.min(Math.trunc(toCells(source, high - 0.5, axis)) + 2, last),
  ];
}

// The runs of mask i. Only columns are interpolated; down a column a run ends where a straight line crosses 0.
export function runsOfMask(source: Prototyped, i: number): Runs {
  const { letterbox, windows, w, h, k, cell, coefficients, prototypes } = source, { width, height } = letterbox.photo;
  const [x0, y0, x1, y1] = [0, 1, 2, 3].map((side) => Math.ceil(windows[4 * i + side] - 0.5));
  const left = Math.max(x0, 0), top = Math.max(y0, 0), right = Math.min(x1, width), bottom = Math.min(y1, height);
  const found = new Collected();
  if (left >= right || top >= bottom) return found.runs;
  const [c0, c1] = cellsOf(source, left, right, 0), [r0, r1] = cellsOf(source, top, bottom, 1), n = r1 - r0;
  const upright = new Float32Array((c1 - c0) * n); // column by column
  for (let p = 0; p < k; p++) {
    const weight = coefficients[i * k + p];
    for (let r = 0; r < n; r++) {
      let from = (p * h + r0 + r) * w + c0;
      for (let to = r; to < upright.length; to += n, from++) upright[to] += weight * prototypes[from];
    }
  }
  const logits = new Float32Array(n), scale = letterbox.scale[1] / cell, shift = letterbox.pad[1] / cell - 0.5;
  for (let x = left; x < right; x++) {
    const place = toCells(source, x + 0.5, 0), low = Math.min(Math.floor(place), w - 1), share = place - low;
    const a = (low - c0) * n, b = Math.min(low + 1, c1 - 1, w - 1) * n - c0 * n;
    for (let r = 0; r < n; r++) logits[r] = upright[a + r] + (upright[b + r] - upright[a + r]) * share;
    crossings(found, x, logits, r0, scale, shift, top, bottom);
  }
  return found.runs;
}

// (N, P) logits at points in photo pixels; minus infinity outside a mask's window. Each point stands for its pixel.
export function logitsAt(source: Prototyped, points: readonly Point[]): Float64Array {
  const { coefficients, prototypes, k, w, h, windows } = source, n = windows.length / 4;
  const found = new Float64Array(n * points.length).fill(-Infinity), values = new Float64Array(k);
  points.forEach(([px, py], at) => {
    const x = Math.floor(px) + 0.5, y = Math.floor(py) + 0.5;
    const column = toCells(source, x, 0), row = toCells(source, y, 1), c0 = Math.floor(column), r0 = Math.floor(row);
    const c1 = Math.min(c0 + 1, w - 1), r1 = Math.min(r0 + 1, h - 1), across = column - c0, down = row - r0;
    for (let p = 0; p < k; p++) {
      const own = (r: number, c: number): number => prototypes[(p * h + r) * w + c];
      const above = own(r0, c0) * (1 - across) + own(r0, c1) * across, below = own(r1, c0) * (1 - across) + own(r1, c1) * across;
      values[p] = above * (1 - down) + below * down;
    }
    for (let i = 0; i < n; i++) {
      const [left, top, right, bottom] = windows.subarray(4 * i, 4 * i + 4);
      if (x < left || x >= right || y < top || y >= bottom) continue;
      let logit = 0;
      for (let p = 0; p < k; p++) logit += coefficients[i * k + p] * values[p];
      found[i * points.length + at] = logit;
    }
  });
  return found;
}
