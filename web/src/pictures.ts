// Pictures resized and cut, as OpenCV does it: bilinear, by area, and through an affine map.

import { clip, rint } from './numbers.ts';
import type { Pixels, Size } from './values.ts';

// x' = a x + b, y' = c y + d, in indices of pixels
export interface Affine {
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly d: number;
}

// Resized bilinearly, without averaging where it shrinks, to the bit as OpenCV does it: weights of 11 bits, and half as
// wide and high is an average.
export function resized(picture: Pixels, { width, height }: Size): Pixels {
  if (picture.width === width && picture.height === height) return picture;
  if (picture.width === 2 * width && picture.height === 2 * height) return halved(picture);
  const { channels, data } = picture, found = new Uint8ClampedArray(width * height * channels);
  const columns = neighbours(picture.width, width), rows = neighbours(picture.height, height);
  for (let y = 0, to = 0; y < height; y++) {
    const above = rows.low[y] * picture.width, below = rows.high[y] * picture.width, upper = rows.first[y], lower = rows.second[y];
    for (let x = 0; x < width; x++) {
      const left = columns.low[x], right = columns.high[x], a = columns.first[x], b = columns.second[x];
      for (let c = 0; c < channels; c++, to++) {
        const top = data[(above + left) * channels + c] * a + data[(above + right) * channels + c] * b;
        const bottom = data[(below + left) * channels + c] * a + data[(below + right) * channels + c] * b;
        found[to] = (((upper * (top >> 4)) >> 16) + ((lower * (bottom >> 4)) >> 16) + 2) >> 2;
      }
    }
  }
  return { width, height, channels, data: found };
}

interface Neighbours {
  readonly low: Int32Array;
  readonly high: Int32Array;
  readonly first: Int32Array;
  readonly second: Int32Array;
}

// Per pixel of `to`: the pixels of `from` on both sides of its centre, and their weights in 2048ths.
function neighbours(from: number, to: number): Neighbours {
  const [low, high, first, second] = [0, 1, 2, 3].map(() => new Int32Array(to));
  for (let k = 0; k < to; k++) {
    const place = Math.fround((k + 0.5) * (from / to) - 0.5), floor = Math.floor(place);
    const share = floor < 0 || floor >= from - 1 ? 0 : Math.fround(place - floor);
    low[k] = clip(floor, 0, from - 1);
    high[k] = Math.min(low[k] + 1, from - 1);
    first[k] = rint(Math.fround(1 - share) * 2048);
    second[k] = rint(share * 2048);
  }
  return { low, high, first, second };
}

// A part of a picture, made smaller by averaging areas. part: x0, y0, x1, y1, in whole pixels
export function averaged(picture: Pixels, part: readonly [number, number, number, number], { width, height }: Size): Pixels {
  const { channels, data } = picture, [x0, y0, x1, y1] = part;
  const w = x1 - x0, h = y1 - y0, line = new Float64Array(w * channels);
  const found = new Uint8ClampedArray(width * height * channels); // which rounds, and of two takes the even
  for (let y = 0, to = 0; y < height; y++) {
    const top = y * h / height, bottom = (y + 1) * h / height;
    line.fill(0);
    for (let r = Math.floor(top); r < Math.min(h, Math.ceil(bottom - 1e-9)); r++) {
      const weight = Math.min(bottom, r + 1) - Math.max(top, r);
      for (let k = 0, from = ((y0 + r) * picture.width + x0) * channels; k < line.length; k++, from++) line[k] += weight * data[from];
    }
    for (let x = 0; x < width; x++, to += channels) {
      const left = x * w / width, right = (x + 1) * w / width, area = (right - left) * (bottom - top);
      for (let c = 0; c < channels; c++) {
        let sum = 0;
        for (let q = Math.floor(left); q < Math.min(w, Math.ceil(right - 1e-9)); q++) {
          sum += (Math.min(right, q + 1) - Math.max(left, q)) * line[q * channels + c];
        }
        found[to + c] = sum / area;
      }
    }
  }
  return { width, height, channels, data: found };
}

// Half as wide and high. An odd side counts its last row or column twice.
export function halved(picture: Pixels): Pixels {
  const { channels, data } = picture, width = (picture.width + 1) >> 1, height = (picture.height + 1) >> 1;
  const found = new Uint8Array(width * height * channels), row = picture.width * channels;
  for (let y = 0, to = 0; y < height; y++) {
    const above = 2 * y * row, below = Math.min(2 * y + 1, picture.height - 1) * row;
    for (let x = 0; x < width; x++) {
      const left = 2 * x * channels, right = Math.min(2 * x + 1, picture.width - 1) * channels;
      for (let c = 0; c < channels; c++, to++) {
        found[to] = (data[above + left + c] + data[above + right + c] + data[below + left + c] + data[below + right + c] + 2) >> 2;
      }
    }
  }
  return { width, height, channels, data: found };
}

// What a square of `size` pixels shows of a picture through a map from its pixels to those of the picture, bilinearly.
// beyond: value outside the picture
export function warped(picture: Pixels, map: Affine, size: number, beyond: number): Pixels {
  const { channels, data, width, height } = picture, found = new Uint8ClampedArray(size * size * channels);
  const at = (x: number, y: number, c: number): number =>
    x >= 0 && y >= 0 && x < width && y < height ? data[(y * width + x) * channels + c] : beyond;
  for (let y = 0, to = 0; y < size; y++) {
    const v = map.c * y + map.d, row = Math.floor(v), down = v - row;
    for (let x = 0; x < size; x++) {
      const u = map.a * x + map.b, column = Math.floor(u), across = u - column;
      for (let c = 0; c < channels; c++, to++) {
        const p = at(column, row, c), q = at(column + 1, row, c), r = at(column, row + 1, c), s = at(column + 1, row + 1, c);
        const top = p + (q - p) * across, bottom = r + (s - r) * across;
        found[to] = top + (bottom - top) * down;
      }
    }
  }
  return { width: size, height: size, channels, data: found };
}
