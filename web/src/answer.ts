// Decides which masks answer a prompt, by the rules at the top of `prompts/answer.py`.

import { suppress } from './detections.ts';
import { logitOfGrid, type Grid } from './drawn.ts';
import * as geometry from './geometry.ts';
import { descending } from './numbers.ts';
import type { Checked } from './prompt.ts';
import { logitsAt, type Prototyped } from './prototyped.ts';
import { paint, runsOf, type Runs } from './runs.ts';
import type { Size } from './values.ts';

const SAME = 0.8; // minimum IoU of boxes for two candidates of a click to count as one

// Everything in a photo: N masks, best first. boxes: (N, 4) in photo pixels; source: what the runs were made from
export interface Found {
  readonly size: Size;
  readonly boxes: Float32Array;
  readonly scores: Float32Array;
  readonly classes: Int32Array;
  readonly runs: readonly Runs[];
  readonly source: Prototyped | readonly Grid[];
}

// How an answer was made: one mask, a union of masks, a mask minus others, or drawn by the second network.
export type How = 'mask' | 'union' | 'difference' | 'drawn';

// One possible answer. plus, minus: masks that are united and subtracted; index: of the one mask that answers or was
// drawn anew; quality: predicted IoU 0..1 of a drawn one
export interface Candidate {
  readonly how: How;
  readonly plus: readonly number[];
  readonly minus: readonly number[];
  readonly index: number | null;
  readonly score: number;
  readonly quality: number | null;
  readonly runs: Runs;
}

// All candidates that answer a prompt, best first.
export function answer(found: Found, prompt: Checked): Candidate[] {
  const { boxes, scores, size, runs } = found, n = scores.length;
  if (!n) return [];
  let ranks = new Float64Array(n).fill(1);
  const times = (more: Float64Array): void => { ranks = ranks.map((rank, i) => rank * more[i]); };
  const none = (): boolean => !ranks.some((rank) => rank > 0);
  if (prompt.box) times(geometry.rankByBox(boxes, prompt.box, size));
  if (prompt.mask) times(geometry.rankByMask(runs, prompt.mask));
  let made: (geometry.Made | null)[] = [];
  if (prompt.points.length) {
    const seen = { boxes, scores, logits: logitsOf(found, prompt), points: prompt.points, labels: prompt.labels };
    times(geometry.rankByPoints(seen));
    if (!prompt.mask && !prompt.box && none()) made = [geometry.union(seen), geometry.difference(seen)];
  } else if (!prompt.mask && prompt.box && none()) {
    made = [geometry.unionWithin(boxes, prompt.box, size)];
  }
  let order = descending(ranks).filter((i) => ranks[i] > 0);
  if (prompt.points.length) {
    const kept = suppress(order.flatMap((i) => geometry.boxAt(boxes, i)), SAME);
    order = kept.map((at) => order[at]);
  }
  if (order.length) return order.map((i) => one(found, i, ranks[i]));
  return made.filter((m) => m !== null).sort((a, b) => b.score - a.score).map((m) => several(found, m));
}

// (N, P) logits of the masks at the prompt's points.
function logitsOf({ source }: Found, { points }: Checked): Float64Array {
  if (!('length' in source)) return logitsAt(source, points);
  return Float64Array.from(source.flatMap((grid) => points.map((point) => logitOfGrid(grid, point))));
}

function one({ runs }: Found, i: number, score: number): Candidate {
  return { how: 'mask', plus: [i], minus: [], index: i, score, quality: null, runs: runs[i] };
}

function several({ runs, size }: Found, { plus, minus, score }: geometry.Made): Candidate {
  const data = new Uint8Array(size.width * size.height);
  for (const i of plus) paint(runs[i], data, size.width, 1);
  for (const i of minus) paint(runs[i], data, size.width, 0);
  const how = minus.length ? 'difference' : plus.length === 1 ? 'mask' : 'union';
  return { how, plus, minus, index: how === 'mask' ? plus[0] : null, score, quality: null, runs: runsOf({ ...size, data }) };
}

// Some of the masks, in that order.
export function taken(found: Found, indices: readonly number[]): Found {
  const { source } = found;
  const rows = (values: Float32Array, k: number): Float32Array =>
    Float32Array.from(indices.flatMap((i) => [...values.subarray(i * k, (i + 1) * k)]));
  return {
    size: found.size,
    boxes: rows(found.boxes, 4),
    scores: rows(found.scores, 1),
    classes: Int32Array.from(indices, (i) => found.classes[i]),
    runs: indices.map((i) => found.runs[i]),
    source: 'length' in source ? indices.map((i) => source[i]) : { ...source, coefficients: rows(source.coefficients, source.k), windows: rows(source.windows, 4) },
  };
}
