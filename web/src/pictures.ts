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
  const columns = neighbours(picture.width, width, true), rows = neighbours(picture.height, height, false);
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

// Per pixel of `to`: the pixels of `from` on both sides of its centre, and their weights in 2048ths. whole: whether a
// border's pixel gets the whole weight; otherwise it is counted twice, and each product is rounded down
function neighbours(from: number, to: number, whole: boolean): Neighbours {
  const [low, high, first, second] = [0, 1, 2, 3].map(() => new Int32Array(to));
  for (let k = 0; k < to; k++) {
    const place = Math.fround((k + 0.5) * (from / to) - 0.5), floor = Math.floor(place);
    const share = whole && (floor < 0 || floor >= from - 1) ? 0 : Math.fround(place - floor);
    low[k] = clip(floor, 0, from - 1);
    high[k] = clip(floor + 1, 0, from - 1);
    first[k] = rint(Math.fround(1 - share) * 2048);
    second[k] = rint(share * 2048);
  }
  return { low, high, first, second };
}

// A part of a picture, made smaller by averaging areas, in 32-bit floats and in the order of OpenCV. part: x0, y0, x1,
// y1, in whole pixels
export function averaged(picture: Pixels, part: readonly [number, number, number, number], { width, height }: Size): Pixels {
  const [x0, y0, x1, y1] = part, channels = seen(picture), f = Math.fround;
  const found = new Uint8ClampedArray(width * height * channels); // which rounds, and of two takes the even
  if ((x1 - x0) % width === 0 && (y1 - y0) % height === 0) return evenly(picture, part, { width, height }, found);
  const across = shares(x1 - x0, width), down = shares(y1 - y0, height), line = new Float32Array(width * channels), sums = new Float32Array(width * channels);
  const data = bytes(picture), step = picture.channels;
  for (let y = 0, made = -1; y < height; y++) {
    sums.fill(0);
    for (let j = down.starts[y]; j < down.starts[y + 1]; j++) {
      const row = down.places[j], share = down.shares[j];
      if (row !== made) shrunk(data, ((y0 + row) * picture.width + x0) * step, step, across, line, channels); // two rows of the result can share one
      made = row;
      for (let k = 0; k < sums.length; k++) sums[k] += f(share * line[k]);
    }
    found.set(sums, y * sums.length);
  }
  return { width, height, channels, data: found };
}

// One row of a part of a picture, averaged along it. from: index of its first byte; step: bytes per pixel
function shrunk(data: Uint8Array, from: number, step: number, { starts, places, shares }: Shares, line: Float32Array, channels: number): void {
  const f = Math.fround;
  for (let x = 0, to = 0; x < starts.length - 1; x++, to += channels) {
    const end = starts[x + 1];
    let at = from + places[starts[x]] * step; // the pixels of one sum are neighbours
    if (channels === 1) {
      let sum = f(0);
      for (let k = starts[x]; k < end; k++, at += step) sum = f(sum + f(data[at] * shares[k]));
      line[to] = sum;
      continue;
    }
    let first = f(0), second = f(0), third = f(0);
    for (let k = starts[x]; k < end; k++, at += step) {
      const share = shares[k];
      first = f(first + f(data[at] * share));
      second = f(second + f(data[at + 1] * share));
      third = f(third + f(data[at + 2] * share));
    }
    line[to] = first;
    line[to + 1] = second;
    line[to + 2] = third;
  }
}

// A picture's bytes as one kind of array: code that meets several kinds runs at half the speed.
function bytes({ data }: Pixels): Uint8Array {
  return data instanceof Uint8Array ? data : new Uint8Array(data.buffer, data.byteOffset, data.length);
}

// Channels of what is made from a picture: the fourth is never read.
function seen({ channels }: Pixels): 1 | 3 {
  return channels === 1 ? 1 : 3;
}

interface Shares {
  readonly starts: Int32Array; // of each pixel's entries, and the end
  readonly places: Int32Array;
  readonly shares: Float32Array;
}

// Per pixel of `to`: the pixels of `from` that it covers, and their shares of it.
function shares(from: number, to: number): Shares {
  const scale = from / to, most = from + 2 * to, starts = new Int32Array(to + 1), places = new Int32Array(most), found = new Float32Array(most);
  let at = 0;
  for (let k = 0; k < to; k++) {
    const low = k * scale, high = low + scale, width = Math.min(scale, from - low);
    const last = Math.min(Math.floor(high), from - 1), first = Math.min(Math.ceil(low), last);
    if (first - low > 1e-3) [places[at], found[at++]] = [first - 1, (first - low) / width];
    for (let place = first; place < last; place++) [places[at], found[at++]] = [place, 1 / width];
    if (high - last > 1e-3) [places[at], found[at++]] = [last, Math.min(high - last, 1, width) / width];
    starts[k + 1] = at;
  }
  return { starts, places, shares: found };
}

// The same where each pixel of the result covers whole pixels: a half is rounded up if it covers 2 x 2.
function evenly(picture: Pixels, [x0, y0, x1, y1]: readonly [number, number, number, number], { width, height }: Size, found: Uint8ClampedArray): Pixels {
  const { channels: step, width: row } = picture, data = bytes(picture), channels = seen(picture);
  const across = (x1 - x0) / width, down = (y1 - y0) / height, share = Math.fround(1 / (across * down)), four = across === 2 && down === 2;
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < channels; c++, to++) {
        let sum = 0;
        for (let j = 0; j < down; j++) {
          for (let k = 0, from = ((y0 + y * down + j) * row + x0 + x * across) * step + c; k < across; k++, from += step) sum += data[from];
        }
        found[to] = four ? (sum + 2) >> 2 : Math.fround(sum * share);
      }
    }
  }
  return { width, height, channels, data: found };
}

// Half as wide and high. An odd side counts its last row or column twice.
export function halved(picture: Pixels): Pixels {
  const { channels } = picture, data = bytes(picture), width = (picture.width + 1) >> 1, height = (picture.height + 1) >> 1;
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

// What a square of `size` pixels shows of a picture through a map from its pixels to those of the picture, bilinearly,
// in 32-bit floats as OpenCV does it: columns are interpolated before rows. origin: of the part of the picture whose
// indices the map gives; beyond: value outside the picture
export function warped(picture: Pixels, map: Affine, origin: readonly [number, number], size: number, beyond: number): Pixels {
  const { channels: step, width, height } = picture, data = bytes(picture), channels = seen(picture), below = width * step, f = Math.fround;
  const columns = places(map.a, map.b, size, true), rows = places(map.c, map.d, size, false);
  const found = new Uint8ClampedArray(size * size * channels);
  for (let y = 0, to = 0; y < size; y++) {
    const down = rows.shares[y], row = rows.floors[y] + origin[1], above = row >= 0 && row < height, under = row >= -1 && row < height - 1;
    for (let x = 0; x < size; x++) {
      const across = columns.shares[x], column = columns.floors[x] + origin[0];
      const left = column >= 0 && column < width, right = column >= -1 && column < width - 1;
      let from = (row * width + column) * step;
      if (above && under && left && right) {
        for (const end = to + channels; to < end; to++, from++) {
          const p = data[from], q = data[from + step], r = data[from + below], s = data[from + below + step];
          const before = f(down * (r - p) + p), after = f(down * (s - q) + q);
          found[to] = f(across * f(after - before) + before);
        }
        continue;
      }
      for (const end = to + channels; to < end; to++, from++) {
        const p = above && left ? data[from] : beyond, q = above && right ? data[from + step] : beyond;
        const r = under && left ? data[from + below] : beyond, s = under && right ? data[from + below + step] : beyond;
        const before = f(down * (r - p) + p), after = f(down * (s - q) + q);
        found[to] = f(across * f(after - before) + before);
      }
    }
  }
  return { width: size, height: size, channels, data: found };
}

// Where `size` pixels lie along one side of a picture: whole pixels, and the shares of the next ones. fused: whether
// product and sum are rounded once, together
function places(step: number, start: number, size: number, fused: boolean): { floors: Int32Array; shares: Float32Array } {
  const floors = new Int32Array(size), shares = new Float32Array(size), f = Math.fround, a = f(step), b = f(start);
  for (let k = 0; k < size; k++) {
    const place = f((fused ? k * a : f(k * a)) + b);
    floors[k] = Math.floor(place);
    shares[k] = place - floors[k];
  }
  return { floors, shares };
}
