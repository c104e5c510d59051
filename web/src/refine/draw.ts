// Redraws the answers to prompts with the second network, as `refine/draw.py`.

import type { Candidate } from '../answer.ts';
import { bilinear, runsOfGrid, type Grid } from '../drawn.ts';
import type { Refiner } from '../network.ts';
import { descending, largest, probability } from '../numbers.ts';
import type { Checked } from '../prompt.ts';
import { iouOf } from '../runs.ts';
import type { Pixels, Point, Size } from '../values.ts';
import { about, pointIn, seeIn, type Window } from './crop.ts';
import { CELL } from './maps.ts';
import { boxOf, cuts, qualities, ranks, type Drawing } from './rank.ts';
import { reaching, tidied } from './tidy.ts';
import { CONTEXT, reach, said, views, type View } from './views.ts';

const LEAST_QUALITY = 0.2; // minimum expected IoU for a drawing to answer a box or a single click
const CLOSER = [96, 128, 160]; // sizes of crops for a second look
const SAME = 0.8; // minimum IoU for two candidates of a prompt to count as one
const MOST = 3; // maximum number of candidates per prompt: part, object, group
const FAR = -10; // logit beyond a grid

// What stage 2 chose for a prompt, redrawn, best first. levels: the photo, from `pyramid`
export async function draw(levels: readonly Pixels[], prompt: Checked, chosen: readonly Candidate[], refiner: Refiner): Promise<Candidate[]> {
  const size = { width: levels[0].width, height: levels[0].height };
  const first = await drawings(levels, views(prompt, chosen, size), refiner);
  const second = await drawings(levels, closer(first, prompt, size), refiner);
  return answers(prompt, [...first, ...second], size, refiner);
}

async function drawings(levels: readonly Pixels[], looks: readonly View[], refiner: Refiner): Promise<Drawing[]> {
  const made = await refiner.run(looks.map((view) => seeIn(levels, view.window)), looks.map((view) => view.maps));
  return made.map(({ logits, quality }, k) => ({ view: looks[k], logits, n: looks[k].maps.side, quality }));
}

// A second look at the best drawing of a prompt with points, through a window that fits it.
function closer(found: readonly Drawing[], prompt: Checked, size: Size): View[] {
  const rated = ranks(found, prompt, size), best = found[largest(rated)], box = rated.some((rank) => rank > 0) ? boxOf(best) : null;
  if (!prompt.points.length || !box) return [];
  if ((prompt.mask || prompt.box) && !cuts(best, size)) return [];
  return [seenAgain(best, prompt, about(reach(box, prompt.points), CONTEXT, CLOSER))];
}

// A view through another window, with the drawing as its rough mask.
function seenAgain({ view, logits, n }: Drawing, prompt: Checked, window: Window): View {
  const old = view.window, cells = window.size / CELL, own = old.side / n;
  const place = (k: number, low: number, before: number): number => Math.fround(((k + 0.5) * window.side / cells + low - before) / own - 0.5);
  const framed = new Float32Array((n + 2) * (n + 2)).fill(FAR);
  for (let row = 0; row < n; row++) framed.set(logits.subarray(row * n, (row + 1) * n), (row + 1) * (n + 2) + 1);
  const shares = Float32Array.from({ length: cells * cells }, (_, at) => {
    const column = place(at % cells, window.x0, old.x0) + 1, row = place(Math.floor(at / cells), window.y0, old.y0) + 1;
    const within = column >= 0 && row >= 0 && column <= n + 1 && row <= n + 1;
    return probability(within ? bilinear(framed, n + 2, column, row) : FAR);
  });
  return { ...view, window, maps: said(prompt, window, shares) };
}

// Redrawn candidates, best first. Several points or a mask always get the best one, however poor.
function answers(prompt: Checked, found: readonly Drawing[], size: Size, refiner: Refiner): Candidate[] {
  const quality = qualities(ranks(found, prompt, size), prompt, refiner.lines);
  const asked = prompt.points.length > 1 || prompt.mask !== null, kept: Candidate[] = [];
  for (const k of descending(quality)) {
    if (quality[k] <= 0 || kept.length === MOST || (quality[k] < LEAST_QUALITY && (kept.length || !asked))) break;
    const runs = runsOfGrid(tidy(found[k], prompt, size), size);
    if (!runs.columns.length || kept.some((other) => iouOf(runs, other.runs) >= SAME)) continue;
    kept.push({ how: 'drawn', plus: [], minus: [], index: found[k].view.origin, score: quality[k], quality: quality[k], runs });
  }
  return kept;
}

function tidy({ view, logits, n }: Drawing, prompt: Checked, size: Size): Grid {
  const { window } = view, inner: Point[] = [], outer: Point[] = [];
  prompt.points.forEach((point, k) => {
    const [x, y] = pointIn(window, point);
    (prompt.labels[k] ? inner : outer).push([x / CELL, y / CELL]);
  });
  const alone = prompt.mask || prompt.box ? [] : inner; // a mask or a box may mean several pieces
  const made = tidied(reaching(logits, n, window, size), n, alone, 0, outer);
  return { logits: made, n, left: window.x0, top: window.y0, side: window.side };
}
