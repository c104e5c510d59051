// Tidies drawn masks: removes islands, fills holes, and extends masks to the photo's border, as `refine/tidy.py`.
// Islands get a logit just below 0, holes one just above 0.

import { clip } from '../numbers.ts';
import type { Point, Size } from '../values.ts';
import type { Window } from './crop.ts';

const SPECK = 0.02; // an island or a hole below this share of the mask's area is noise
const RIM = 0.25; // a cell's logit counts if its centre is at least this many cells inside the photo
const FAINT = 0.5; // distance from 0 of the logits of removed islands and filled holes

// The logits (n, n) without small islands and holes. clicks: in cells; if there are any, only pieces with a click stay,
// or else only the largest; least: fewer cells are noise in any case; background: a hole with such a point stays
export function tidied(
  logits: Float32Array, n: number, clicks: readonly Point[] = [], least = 0, background: readonly Point[] = [],
): Float32Array {
  const area = logits.reduce((sum, logit) => sum + Number(logit > 0), 0);
  if (!area) return logits;
  const limit = Math.max(least, SPECK * area), { labels, areas } = components(n, (at) => logits[at] > 0, true);
  const held = piecesAt(labels, n, clicks);
  let keep = areas.map((own, k) => k > 0 && (clicks.length ? held.has(k) : own >= limit));
  if (!keep.some(Boolean)) {
    const most = Math.max(...areas.slice(1)), best = areas.indexOf(most, 1);
    keep = areas.map((_, k) => k === best);
  }
  const found = logits.map((logit, at) => (logit > 0 && !keep[labels[at]] ? Math.min(-Math.abs(logit), -FAINT) : logit));
  return filled(found, n, limit, background);
}

// The labels at points in cells; a point beyond the grid counts as on its border.
function piecesAt(labels: Int32Array, n: number, points: readonly Point[]): Set<number> {
  return new Set(points.map(([x, y]) => labels[clip(Math.trunc(y), 0, n - 1) * n + clip(Math.trunc(x), 0, n - 1)]));
}

// Holes below `limit` cells filled, except those with a background click. A gap on the grid's border is not a hole.
function filled(logits: Float32Array, n: number, limit: number, background: readonly Point[]): Float32Array {
  const { labels, areas } = components(n, (at) => logits[at] <= 0, false), stay = piecesAt(labels, n, background);
  for (let k = 0; k < n; k++) for (const at of [k, (n - 1) * n + k, k * n, k * n + n - 1]) stay.add(labels[at]);
  return logits.map((logit, at) => {
    const label = labels[at];
    return label && areas[label] < limit && !stay.has(label) ? Math.max(Math.abs(logit), FAINT) : logit;
  });
}

// Connected cells: the number of each cell's piece, 0 for cells that are off; areas by number.
function components(n: number, on: (at: number) => boolean, corners: boolean): { labels: Int32Array; areas: number[] } {
  const w = n + 2, open = new Uint8Array(w * w); // with a frame that is off, so that no step leaves it
  for (let y = 0, at = 0; y < n; y++) for (let x = 0; x < n; x++, at++) open[(y + 1) * w + x + 1] = Number(on(at));
  const steps = corners ? [-w - 1, -w, -w + 1, -1, 1, w - 1, w, w + 1] : [-w, -1, 1, w];
  const labels = new Int32Array(n * n), areas = [0], todo = new Int32Array(n * n);
  for (let start = w + 1; start < open.length; start++) {
    if (!open[start]) continue;
    const label = areas.push(0) - 1;
    open[start] = 0;
    todo[0] = start;
    for (let waiting = 1; waiting;) {
      const at = todo[--waiting], x = at % w;
      areas[label] += 1;
      labels[((at - x) / w - 1) * n + x - 1] = label;
      for (let k = 0; k < steps.length; k++) {
        const next = at + steps[k];
        if (!open[next]) continue;
        open[next] = 0;
        todo[waiting++] = next;
      }
    }
  }
  return { labels, areas };
}

// The logits of a window; cells beyond the photo take the value of the nearest cell inside.
export function reaching(logits: Float32Array, n: number, { x0, y0, side }: Window, { width, height }: Size): Float32Array {
  if (Math.min(x0, y0) >= 0 && x0 + side <= width && y0 + side <= height) return logits;
  const step = side / n;
  const span = (low: number, length: number): number[] => {
    const first = Math.min(low < 0 ? Math.ceil(-low / step - 0.5 + RIM) : 0, n - 1);
    const last = low + side > length ? Math.floor((length - low) / step + 0.5 - RIM) : n;
    return Array.from({ length: n }, (_, k) => clip(k, first, Math.max(Math.min(last, n) - 1, first)));
  };
  const rows = span(y0, height), columns = span(x0, width);
  return Float32Array.from({ length: n * n }, (_, at) => logits[rows[Math.floor(at / n)] * n + columns[at % n]]);
}
