// Outlines for programs that fill a ring and draw it, as labelme does and readers of YOLO's labels: they run through the
// centres of the border's pixels, so that these programs get the mask's own pixels back.

import { polygons, type Polygon } from '../polygons.ts';
import { cropOf, type Runs } from '../runs.ts';
import type { Point } from '../values.ts';

type Ring = readonly Point[];
const INSET = 0.25; // of what is drawn about one or two pixels

// One ring for each part of a mask.
export function ringsOf(runs: Runs): Ring[] {
  return polygons(cropOf(runs)).map(({ outline, holes }: Polygon) => joined([outline, ...holes].map(centred)));
}

// One ring through several, joined by cuts of no width where they are near.
export function joined(rings: readonly Ring[]): Ring {
  let [whole, ...rest] = rings;
  while (rest.length) {
    const [own, ...others] = rest, near = nearest(whole, own);
    const turned = [...own.slice(near.own), ...own.slice(0, near.own)];
    whole = [...whole.slice(0, near.whole + 1), ...turned, turned[0], ...whole.slice(near.whole)];
    rest = others;
  }
  return whole;
}

function nearest(whole: Ring, own: Ring): { whole: number; own: number } {
  let best = { whole: 0, own: 0 }, least = Infinity;
  whole.forEach(([x, y], k) => own.forEach(([u, v], j) => {
    const far = (x - u) ** 2 + (y - v) ** 2;
    if (far < least) { least = far; best = { whole: k, own: j }; }
  }));
  return best;
}

// A ring along the borders of pixels, with the mask on its right, moved to the centres of the mask's pixels beside it.
function centred(ring: Ring): Ring {
  const found: Point[] = [];
  ring.forEach((corner, k) => {
    const before = towards(ring.at(k - 1)!, corner), after = towards(corner, ring[(k + 1) % ring.length]);
    add(found, [corner[0] - before[0] / 2 - before[1] / 2, corner[1] - before[1] / 2 + before[0] / 2]);
    add(found, [corner[0] + after[0] / 2 - after[1] / 2, corner[1] + after[1] / 2 + after[0] / 2]);
  });
  const [first] = found, last = found.at(-1)!;
  if (found.length > 1 && first[0] === last[0] && first[1] === last[1]) found.pop();
  if (found.length > 2) return found;
  const [[x, y], [u, v]] = [first, found.at(-1)!], low = [Math.min(x, u) - INSET, Math.min(y, v) - INSET], high = [Math.max(x, u) + INSET, Math.max(y, v) + INSET];
  return [[low[0], low[1]], [high[0], low[1]], [high[0], high[1]], [low[0], high[1]]];
}

const towards = ([x, y]: Point, [u, v]: Point): Point => [Math.sign(u - x), Math.sign(v - y)];

function add(found: Point[], point: Point): void {
  const last = found.at(-1);
  if (!last || last[0] !== point[0] || last[1] !== point[1]) found.push(point);
}
