// Finds the detections in a network's raw output: score threshold, then greedy suppression, hard or soft, as
// `detections.py` does (the rule is written there).

import { FastSAMError } from './errors.ts';
import { descending } from './numbers.ts';

const MOST = 30_000; // maximum number of detections that enter suppression, best first

// N detections, best first. boxes: (N, 4) in input pixels; coefficients: (N, K)
export interface Detections {
  readonly boxes: Float32Array;
  readonly scores: Float32Array;
  readonly classes: Int32Array;
  readonly coefficients: Float32Array;
}

export interface Thresholds {
  readonly conf: number;
  readonly iou: number;
  readonly maxDet: number;
  readonly soft: number;
}

// raw: (rows, anchors), per column centre x, centre y, width, height, one score per class, then `k` coefficients
export function detections(raw: Float32Array, rows: number, k: number, { conf, iou, maxDet, soft }: Thresholds): Detections {
  const anchors = raw.length / rows, kinds = rows - 4 - k;
  const best = new Float32Array(anchors).fill(-Infinity), kind = new Int32Array(anchors);
  for (let c = 0; c < kinds; c++) {
    for (let a = 0, at = (4 + c) * anchors; a < anchors; a++, at++) if (!(raw[at] <= best[a])) { best[a] = raw[at]; kind[a] = c; }
  }
  const sound = (a: number): boolean => {
    for (let r = 0; r < rows; r++) if (!Number.isFinite(raw[r * anchors + a])) return false;
    return true;
  };
  const over: number[] = [];
  let finite = anchors === 0;
  for (let a = 0; a < anchors; a++) {
    finite ||= Number.isFinite(best[a]);
    if (best[a] > conf && sound(a)) over.push(a);
  }
  if (!finite) throw new FastSAMError('weights', "the network's scores are not finite: the weights are damaged, load them again");
  const kept = descending(over.map((a) => best[a])).slice(0, MOST).map((i) => over[i]);
  const boxes = new Float32Array(4 * kept.length);
  kept.forEach((a, i) => {
    const [x, y, w, h] = [0, 1, 2, 3].map((r) => raw[r * anchors + a]);
    boxes.set([x - w / 2, y - h / 2, x + w / 2, y + h / 2], 4 * i);
  });
  const scores = Float32Array.from(kept, (a) => best[a]), classes = Int32Array.from(kept, (a) => kind[a]);
  const found = soft ? softly(boxes, classes, scores, iou, maxDet, soft) : hard(boxes, classes, scores, iou, maxDet);
  const stay = soft ? found.filter(([, score]) => score > conf) : found;
  const coefficients = new Float32Array(stay.length * k);
  stay.forEach(([i], n) => {
    for (let c = 0; c < k; c++) coefficients[n * k + c] = raw[(rows - k + c) * anchors + kept[i]];
  });
  return {
    boxes: Float32Array.from(stay.flatMap(([i]) => [...boxes.subarray(4 * i, 4 * i + 4)])),
    scores: Float32Array.from(stay, ([, score]) => score),
    classes: Int32Array.from(stay, ([i]) => classes[i]),
    coefficients,
  };
}

type Scored = [number, number]; // an index and its score

function hard(boxes: ArrayLike<number>, classes: ArrayLike<number>, scores: ArrayLike<number>, iou: number, most: number): Scored[] {
  const found: Scored[] = [];
  for (const [i] of greedy(boxes, classes, iou)) {
    if (found.length >= most) break;
    found.push([i, scores[i]]);
  }
  return found;
}

// Indices that greedy suppression keeps, of boxes in order of score, best first.
export function suppress(boxes: ArrayLike<number>, iou: number): number[] {
  return [...greedy(boxes, new Int32Array(boxes.length / 4), iou)].map(([i]) => i);
}

// The `most` best indices after soft suppression with their lowered scores, best first.
export function softly(
  boxes: ArrayLike<number>, classes: ArrayLike<number>, scores: ArrayLike<number>, iou: number, most: number, soft: number,
): Scored[] {
  const kept: number[] = [], lowered: number[] = [], least = Math.exp(-(iou ** 2) / soft);
  for (const [i, overlap] of greedy(boxes, classes, iou)) {
    if (kept.length >= most && scores[i] <= least * scores[kept[most - 1]]) break;
    kept.push(i);
    lowered.push(Math.fround(scores[i] * Math.exp(-(overlap ** 2) / soft)));
  }
  return descending(lowered).slice(0, most).map((at) => [kept[at], lowered[at]]);
}

// Each index that greedy suppression keeps, in order, with its largest IoU with a kept box of its class.
function* greedy(boxes: ArrayLike<number>, classes: ArrayLike<number>, iou: number): Generator<Scored> {
  const n = boxes.length / 4, largest = new Float64Array(n);
  const area = (i: number): number => (boxes[4 * i + 2] - boxes[4 * i]) * (boxes[4 * i + 3] - boxes[4 * i + 1]);
  let rest = Int32Array.from({ length: n }, (_, i) => i);
  while (rest.length) {
    const first = rest[0], own = area(first);
    const [x0, y0, x1, y1] = [0, 1, 2, 3].map((c) => boxes[4 * first + c]);
    yield [first, largest[first]];
    let stays = 0;
    for (let k = 1; k < rest.length; k++) {
      const i = rest[k];
      let overlap = 0;
      if (classes[i] === classes[first]) {
        const w = Math.min(boxes[4 * i + 2], x1) - Math.max(boxes[4 * i], x0);
        const h = Math.min(boxes[4 * i + 3], y1) - Math.max(boxes[4 * i + 1], y0);
        const shared = Math.max(w, 0) * Math.max(h, 0);
        overlap = shared / Math.max(area(i) + own - shared, 1e-9);
      }
      if (overlap > iou) continue;
      largest[i] = Math.max(largest[i], overlap);
      rest[stays++] = i;
    }
    rest = rest.subarray(0, stays);
  }
}
