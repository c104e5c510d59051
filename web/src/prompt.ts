// `Prompt`: describes one object. Checked as `prompts/prompt.py` checks it.

import { usage } from './errors.ts';
import { decode, type RLE } from './rle.ts';
import { runsOf, type Runs } from './runs.ts';
import type { Box, Mask, Point, Size } from './values.ts';

// A rough mask as a caller gives it: pixels of the photo's size, or COCO's RLE.
export type MaskLike = Mask | RLE | { readonly size: readonly [number, number]; readonly counts: readonly number[] };

// What one answer is asked for; every part that is given must hold. labels: 1 for foreground (default), 0 for background
export interface Prompt {
  readonly points?: readonly Point[];
  readonly labels?: readonly number[];
  readonly box?: Box;
  readonly mask?: MaskLike;
}

export interface Checked {
  readonly points: readonly Point[];
  readonly labels: readonly number[];
  readonly box: Box | null;
  readonly mask: Runs | null;
}

export function checked(prompt: Prompt, size: Size): Checked {
  const points = (prompt.points ?? []).map((point) => numbers(point, 2, 'point') as unknown as Point);
  const labels = [...(prompt.labels ?? points.map(() => 1))];
  if (labels.length !== points.length) throw usage(`${labels.length} labels given for ${points.length} points: give one label per point`);
  if (!labels.every((label) => label === 0 || label === 1)) throw usage(`labels must be 1 (foreground) or 0 (background), not ${labels}`);
  const box = prompt.box === undefined ? null : (numbers(prompt.box, 4, 'box') as unknown as Box);
  if (box && !(box[0] < box[2] && box[1] < box[3])) throw usage(`box ${box} has no area: give x1,y1,x2,y2 with x1 < x2 and y1 < y2`);
  if (!box && !prompt.mask && !labels.includes(1)) throw usage('a prompt needs a foreground point, a box or a mask');
  const { width, height } = size;
  for (const [x, y] of points) {
    if (!(x >= 0 && x < width && y >= 0 && y < height)) throw usage(`point ${x},${y} lies outside the photo of ${width} x ${height} pixels`);
  }
  if (box && (box[0] >= width || box[1] >= height || box[2] <= 0 || box[3] <= 0)) {
    throw usage(`box ${box} lies outside the photo of ${width} x ${height} pixels`);
  }
  return { points, labels, box, mask: prompt.mask === undefined ? null : rough(prompt.mask, size) };
}

function rough(mask: MaskLike, { width, height }: Size): Runs {
  const [h, w] = 'counts' in mask ? mask.size : [mask.height, mask.width];
  if (w !== width || h !== height) throw usage(`the mask is ${w} x ${h} pixels but the photo is ${width} x ${height}: give a mask of the same size`);
  if (!('counts' in mask) && mask.data.length !== w * h) throw usage(`a mask of ${w} x ${h} pixels must have ${w * h} values, not ${mask.data.length}`);
  const runs = 'counts' in mask ? decode(mask) : runsOf(mask);
  if (!runs.columns.length) throw usage('the mask is empty: mark the object with 1');
  return runs;
}

function numbers(values: ArrayLike<number>, n: number, what: string): number[] {
  const found = Array.from(values ?? [], Number);
  if (found.length !== n || !found.every(Number.isFinite)) throw usage(`a ${what} must be ${n} finite numbers, not ${found}`);
  return found;
}

export function foreground({ points, labels }: Checked): Point[] {
  return points.filter((_, k) => labels[k] === 1);
}
