// Square windows on a photo, and the crops that the second network sees through them, as `refine/crop.py`.

import { averaged, halved, warped, type Affine } from '../pictures.ts';
import { rint } from '../numbers.ts';
import type { Box, Pixels, Point } from '../values.ts';

const GREY = 127; // value of pixels beyond a photo's border
const SHARP = 1.5; // photo pixels per crop pixel; above this, pixels are averaged first
export const SIZES: readonly number[] = [96, 128, 192]; // sides of crops that the network was trained on
const LEAST = 12; // minimum side of a window in photo pixels

// A square of a photo, `side` photo pixels wide, seen at `size` x `size` crop pixels.
export interface Window {
  readonly x0: number;
  readonly y0: number;
  readonly side: number;
  readonly size: number;
}

// A point from photo pixels to crop pixels.
export function pointIn({ x0, y0, side, size }: Window, [x, y]: Point): Point {
  return [(x - x0) * size / side, (y - y0) * size / side];
}

export function boxIn(window: Window, [x0, y0, x1, y1]: Box): Box {
  return [...pointIn(window, [x0, y0]), ...pointIn(window, [x1, y1])];
}

// The window around a box, `context` times as wide as its longer side, of the smallest size that shows every pixel.
export function about([x0, y0, x1, y1]: Box, context: number, sizes: readonly number[] = SIZES): Window {
  const side = Math.max(LEAST, Math.max(x1 - x0, y1 - y0) * context);
  const size = sizes.find((s) => s >= side) ?? Math.max(...sizes);
  return { x0: (x0 + x1 - side) / 2, y0: (y0 + y1 - side) / 2, side, size };
}

// From indices of crop pixels to indices of photo pixels.
function affine({ x0, y0, side, size }: Window): Affine {
  const step = side / size;
  return { a: step, b: x0 + step / 2 - 0.5, c: step, d: y0 + step / 2 - 0.5 };
}

export function see(picture: Pixels, window: Window): Pixels {
  return look(picture, affine(window), window.size);
}

// The photo and its halved copies, down to the smallest that a crop can need.
export function pyramid(photo: Pixels): Pixels[] {
  const levels = [photo];
  for (let last = photo; Math.min(last.width, last.height) > 2 * Math.max(...SIZES);) levels.push(last = halved(last));
  return levels;
}

// What `see` shows of the first level, from the smallest level that is fine enough.
export function seeIn(levels: readonly Pixels[], window: Window): Pixels {
  const k = Math.min(Math.max(Math.trunc(Math.log2(Math.max(1, window.side / window.size))), 0), levels.length - 1);
  const share = 0.5 ** k, { a, b, c, d } = affine(window);
  return look(levels[k], { a: a * share, b: (b + 0.5) * share - 0.5, c: c * share, d: (d + 0.5) * share - 0.5 }, window.size);
}

// Pixels are averaged if the picture shrinks, and interpolated otherwise. Beyond the border a photo is grey, a mask 0.
function look(picture: Pixels, map: Affine, size: number): Pixels {
  const scale = Math.sqrt(Math.abs(map.a * map.c)), reach = 2 * scale + 2, beyond = picture.channels === 1 ? 0 : GREY;
  const part = (from: number, step: number, length: number): [number, number] => {
    const low = Math.min(Math.max(0, Math.trunc(from - reach)), length - 1);
    return [low, Math.min(length, Math.max(low + 1, Math.trunc(from + step * size + reach)))];
  };
  const [x0, x1] = part(map.b, map.a, picture.width), [y0, y1] = part(map.d, map.c, picture.height), w = x1 - x0, h = y1 - y0;
  const b = map.b - x0, d = map.d - y0;
  if (scale <= SHARP) return warped(picture, { ...map, b, d }, [x0, y0], size, beyond);
  const width = Math.max(1, rint(w / scale)), height = Math.max(1, rint(h / scale)), fx = width / w, fy = height / h;
  const small = averaged(picture, [x0, y0, x1, y1], { width, height });
  const moved = { a: map.a * fx, b: (b + 0.5) * fx - 0.5, c: map.c * fy, d: (d + 0.5) * fy - 0.5 };
  return warped(small, moved, [0, 0], size, beyond);
}
