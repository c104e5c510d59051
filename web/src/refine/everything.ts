// Redraws every mask of a photo with the second network, as `refine/everything.py` (the rule is written there).

import type { Found } from '../answer.ts';
import { softly } from '../detections.ts';
import { runsOfGrid, type Grid } from '../drawn.ts';
import { boxAt, onPhoto } from '../geometry.ts';
import type { Refiner } from '../network.ts';
import { descending } from '../numbers.ts';
import { boundsOf, iouOf } from '../runs.ts';
import type { Pixels } from '../values.ts';
import { about, boxIn, seeIn } from './crop.ts';
import * as m from './maps.ts';
import { reaching, tidied } from './tidy.ts';
import { CONTEXT, sharesIn } from './views.ts';

const SIZES = [64, 96, 128]; // of crops; smaller than for prompts, because there are many masks
const TOGETHER = 16; // number of masks whose crops are in memory at a time
const BLEND = 2;
const SOFT = 1;
const DOUBTFUL = 0.35; // predicted IoU below which a mask keeps its shape
const SAME = 0.95; // minimum IoU for two redrawn masks to count as one
const SURE = 4; // logit of a covered cell, for a mask that keeps its shape

// levels: the photo, from `pyramid`
export async function redraw(levels: readonly Pixels[], found: Found, refiner: Refiner): Promise<Found> {
  const n = found.scores.length, grids: Grid[] = [], quality: number[] = [];
  for (let start = 0; start < n; start += TOGETHER) {
    const some = Array.from({ length: Math.min(TOGETHER, n - start) }, (_, k) => start + k);
    for (const made of await group(levels, found, some, refiner)) {
      grids.push(made.grid);
      quality.push(made.quality);
    }
  }
  const runs = grids.map((grid) => runsOfGrid(grid, found.size)), boxes = runs.map(boundsOf);
  const blended = Float32Array.from(found.scores, (score, i) => score * (quality[i] > 0 ? quality[i] : 1) ** BLEND);
  const kept: number[] = [];
  for (const i of descending(blended)) {
    if (runs[i].columns.length && !kept.some((k) => iouOf(runs[i], runs[k]) >= SAME)) kept.push(i);
  }
  // An IoU of 1 drops no box: two masks may share one.
  const order = softly(kept.flatMap((i) => [...boxes[i]]), new Int32Array(kept.length), kept.map((i) => blended[i]), 1, kept.length, SOFT);
  const last = order.map(([at]) => kept[at]);
  return {
    size: found.size,
    boxes: Float32Array.from(last.flatMap((i) => [...boxes[i]])),
    scores: Float32Array.from(order, ([, score]) => score),
    classes: Int32Array.from(last, (i) => found.classes[i]),
    runs: last.map((i) => runs[i]),
    source: last.map((i) => grids[i]),
  };
}

async function group(levels: readonly Pixels[], found: Found, some: readonly number[], refiner: Refiner): Promise<{ grid: Grid; quality: number }[]> {
  const looks = some.map((i) => {
    const box = onPhoto(boxAt(found.boxes, i), found.size), window = about(box, CONTEXT, SIZES), maps = m.empty(window.size);
    m.putMask(maps, sharesIn(found.runs[i], window));
    m.putBox(maps, boxIn(window, box));
    return { window, maps };
  });
  const made = await refiner.run(looks.map(({ window }) => seeIn(levels, window)), looks.map(({ maps }) => maps));
  return made.map(({ logits, quality }, k) => {
    const { window, maps } = looks[k], n = maps.side;
    const shape = quality >= DOUBTFUL ? logits : maps.data.slice(0, n * n).map((value) => value * SURE);
    const tidy = tidied(reaching(shape, n, window, found.size), n);
    return { grid: { logits: tidy, n, left: window.x0, top: window.y0, side: window.side }, quality };
  });
}
