// COCO's run-length encoding, as `masks/rle.py` writes it (the format is written there).

import { usage } from './errors.ts';
import { Collected, type Runs } from './runs.ts';
import type { Size } from './values.ts';

// `size` is [height, width], as in a COCO file.
export interface RLE {
  readonly size: readonly [number, number];
  readonly counts: string;
}

export function encode(runs: Runs, { width, height }: Size): RLE {
  return { size: [height, width], counts: compress(countsOf(runs, width, height)) };
}

// Lengths of zeros and ones in turn, column by column. A stretch may go on from one column to the next.
function countsOf({ columns, tops, bottoms }: Runs, width: number, height: number): number[] {
  const counts: number[] = [];
  let reached = 0;
  for (let k = 0; k < columns.length; k++) {
    const start = columns[k] * height + tops[k], length = bottoms[k] - tops[k];
    if (start === reached && counts.length) counts[counts.length - 1] += length;
    else counts.push(start - reached, length);
    reached = start + length;
  }
  if (reached < width * height) counts.push(width * height - reached);
  return counts;
}

function compress(counts: readonly number[]): string {
  let text = '';
  counts.forEach((count, k) => {
    let rest = k > 2 ? count - counts[k - 2] : count;
    for (;;) {
      const low = rest & 31;
      rest >>= 5;
      const more = low & 16 ? rest !== -1 : rest !== 0;
      text += String.fromCharCode(low + (more ? 32 : 0) + 48);
      if (!more) return;
    }
  });
  return text;
}

// The runs of an RLE, compressed or not. Throws a usage error if it does not fill its size.
export function decode({ size: [height, width], counts }: { size: readonly [number, number]; counts: string | readonly number[] }): Runs {
  const lengths = typeof counts === 'string' ? decompress(counts) : counts, found = new Collected();
  let at = 0;
  lengths.forEach((length, k) => {
    if (!(length >= 0)) throw usage('a count of the RLE is below 0');
    const end = at + length;
    if (k % 2) {
      for (let start = at; start < end;) {
        const column = Math.floor(start / height), bottom = Math.min(height, end - column * height);
        found.add(column, start - column * height, bottom);
        start = column * height + bottom;
      }
    }
    at = end;
    if (at > width * height) throw usage(`the RLE has more than ${width} x ${height} pixels`);
  });
  if (at !== width * height) throw usage(`the RLE must fill ${width} x ${height} pixels, not ${at} pixels`);
  return found.runs;
}

function decompress(text: string): number[] {
  const counts: number[] = [];
  for (let at = 0; at < text.length;) {
    let value = 0, scale = 1, letter: number;
    do {
      if (at === text.length) throw usage('the RLE ends inside a number');
      letter = text.charCodeAt(at++) - 48;
      value += (letter & 31) * scale;
      scale *= 32;
    } while (letter & 32);
    if (letter & 16) value -= scale;
    counts.push(counts.length > 2 ? value + counts[counts.length - 2] : value);
  }
  return counts;
}
