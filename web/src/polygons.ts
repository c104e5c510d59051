// Outlines of a mask along the borders of its pixels, exactly, one for each 4-connected part, as `masks/polygons.py`.
//
// The border is walked with the mask on the right. Where two pixels touch at a corner only, the walk turns so that
// they stay apart.

import type { Crop } from './runs.ts';
import type { Point } from './values.ts';

export interface Polygon {
  readonly outline: readonly Point[];
  readonly holes: readonly (readonly Point[])[];
}

const EAST = 0, SOUTH = 1, WEST = 2; // and north is 3
const DX = [1, 0, -1, 0], DY = [0, 1, 0, -1];

export function polygons(crop: Crop): Polygon[] {
  const { width, height } = crop;
  const on = (x: number, y: number): boolean => x >= 0 && y >= 0 && x < width && y < height && crop.data[y * width + x] > 0;
  const parts = components(crop), seen = new Uint8Array(width * height);
  const outlines = new Map<number, Point[]>(), holes = new Map<number, Point[][]>();
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (!on(x, y) || on(x, y - 1) || seen[y * width + x]) continue;
      for (const ring of apart(walk(x, y, on, seen, width))) {
        const [px, py] = ring.reduce((a, b) => (b[1] < a[1] || (b[1] === a[1] && b[0] < a[0]) ? b : a));
        const moved = ring.map(([u, v]): Point => [u + crop.x, v + crop.y]);
        if (on(px, py)) outlines.set(parts[py * width + px], moved);  // the mask lies below its first corner
        else { // and above a hole's
          const part = parts[(py - 1) * width + px];
          holes.set(part, [...(holes.get(part) ?? []), moved]);
        }
      }
    }
  }
  return [...outlines].sort(([a], [b]) => a - b).map(([part, outline]) => ({ outline, holes: holes.get(part) ?? [] }));
}

// The corners of the ring that begins on the upper side of a pixel. seen: gets 1 for pixels whose upper side it passes
function walk(x0: number, y0: number, on: (x: number, y: number) => boolean, seen: Uint8Array, width: number): Point[] {
  const ring: Point[] = [];
  let x = x0, y = y0, way = EAST;
  do {
    if (way === EAST) seen[y * width + x] = 1;
    x += DX[way];
    y += DY[way];
    const turn = turnAt(x, y, way, on);
    if (turn) ring.push([x, y]);
    way = (way + turn + 4) % 4;
  } while (x !== x0 || y !== y0 || way !== EAST);
  return ring;
}

// 1 to the right, -1 to the left. Looks at the two pixels ahead; one that touches at the corner only is another part.
function turnAt(x: number, y: number, way: number, on: (x: number, y: number) => boolean): number {
  const west = x - 1, north = y - 1;
  const [left, right] = way === EAST ? [on(x, north), on(x, y)] : way === SOUTH ? [on(x, y), on(west, y)]
    : way === WEST ? [on(west, y), on(west, north)] : [on(west, north), on(x, north)];
  return right ? (left ? -1 : 0) : 1;
}

// A ring that meets itself as several, each of which has every corner once.
function apart(ring: readonly Point[]): Point[][] {
  const found: Point[][] = [], path: Point[] = [], places = new Map<string, number>();
  for (const point of ring) {
    const key = point.join(), first = places.get(key);
    if (first !== undefined) {
      const loop = path.splice(first);
      for (const gone of loop) places.delete(gone.join());
      found.push(loop);
    }
    places.set(key, path.length);
    path.push(point);
  }
  return [...found, path];
}

// The number of each pixel's 4-connected part, from 1 in order of rows; 0 outside the mask.
function components({ width, height, data }: Crop): Int32Array {
  const found = new Int32Array(width * height), todo: number[] = [];
  let count = 0;
  for (let start = 0; start < found.length; start++) {
    if (!data[start] || found[start]) continue;
    found[start] = ++count;
    todo.push(start);
    for (let at = todo.pop(); at !== undefined; at = todo.pop()) {
      const x = at % width;
      for (const next of [x > 0 ? at - 1 : -1, x + 1 < width ? at + 1 : -1, at - width, at + width]) {
        if (next >= 0 && next < found.length && data[next] && !found[next]) { found[next] = count; todo.push(next); }
      }
    }
  }
  return found;
}
