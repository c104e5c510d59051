// Prompts as maps over a square crop, as `refine/maps.py` makes them (what they mean is written there).

import { halved } from '../pictures.ts';
import { clip } from '../numbers.ts';
import type { Box, Pixels, Point } from '../values.ts';

export const CELL = 2; // crop pixels per cell of the maps and of the drawn masks
const RADIUS = 2.5; // radius of a click's disk, in cells
const BOX = 1, POSITIVE = 2, NEGATIVE = 3;

// (4, side, side): the rough mask, the box, the foreground clicks, the background clicks.
export interface Maps {
  readonly side: number;
  readonly data: Float32Array;
}

export function empty(size: number): Maps {
  const side = size / CELL;
  return { side, data: new Float32Array(4 * side * side) };
}

// shares: of each cell that the thing covers, 0..1
export function putMask({ data }: Maps, shares: Float32Array): void {
  shares.forEach((share, k) => { data[k] = 2 * share - 1; });
}

// box: in crop pixels. A cell is inside if its centre is; at least one cell is inside.
export function putBox({ side, data }: Maps, box: Box): void {
  const [x0, y0, x1, y1] = box.map((v) => v / CELL - 0.5), own = data.subarray(BOX * side * side, (BOX + 1) * side * side);
  const [left, right] = span(x0, x1, side), [top, bottom] = span(y0, y1, side);
  own.fill(-1);
  for (let y = top; y < bottom; y++) own.fill(1, y * side + left, y * side + right);
}

function span(low: number, high: number, side: number): [number, number] {
  const first = clip(Math.ceil(low), 0, side - 1);
  return [first, Math.max(first + 1, Math.min(Math.ceil(high), side))];
}

// at: in crop pixels
export function putClick({ side, data }: Maps, at: Point, positive: boolean): void {
  const start = (positive ? POSITIVE : NEGATIVE) * side * side, cx = at[0] / CELL - 0.5, cy = at[1] / CELL - 0.5;
  for (let y = Math.max(0, Math.trunc(cy - RADIUS)); y < Math.min(side, Math.trunc(cy + RADIUS) + 2); y++) {
    for (let x = Math.max(0, Math.trunc(cx - RADIUS)); x < Math.min(side, Math.trunc(cx + RADIUS) + 2); x++) {
      if ((x - cx) ** 2 + (y - cy) ** 2 <= RADIUS ** 2) data[start + y * side + x] = 1;
    }
  }
}

// Share 0..1 of each cell that a crop's mask, 0..255, covers.
export function sharesOf(mask: Pixels): Float32Array {
  return Float32Array.from(halved(mask).data, (value) => value / 255);
}
