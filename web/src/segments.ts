// `Segments`: everything found in one photo. Masks are decoded when they are asked for.

import type { Candidate as Made, How } from './answer.ts';
import { unpackedRuns, type Engine, type Sent } from './core.ts';
import { FastSAMError, usage } from './errors.ts';
import { polygons, type Polygon } from './polygons.ts';
import type { MaskLike, Prompt } from './prompt.ts';
import { encode, type RLE } from './rle.ts';
import { areaOf, boundsOf, cropOf, maskOf, paint, type Runs } from './runs.ts';
import type { Seconds } from './segment.ts';
import type { Box, Mask, Point, Size } from './values.ts';

// What `select` is asked for. All points are one prompt; each box and each mask is one.
export interface Asked {
  readonly prompts?: readonly Prompt[];
  readonly points?: readonly Point[];
  readonly labels?: readonly number[];
  readonly boxes?: readonly Box[];
  readonly masks?: readonly MaskLike[];
  readonly refine?: boolean; // whether the second network draws the answers; default: if it is loaded
  readonly among?: readonly number[]; // indices of the segments to choose from; default: all
}

// One possible answer to a prompt.
export class Candidate {
  readonly how: How;
  readonly index: number | null; // of the segment that answers or was drawn anew
  readonly plus: readonly number[]; // segments that are united
  readonly minus: readonly number[]; // segments that are subtracted
  readonly score: number;
  readonly quality: number | null; // predicted IoU 0..1 of a drawn one
  private readonly runs: Runs;

  constructor(made: Made, private readonly size: Size) {
    ({ how: this.how, index: this.index, plus: this.plus, minus: this.minus, score: this.score, quality: this.quality, runs: this.runs } = made);
  }

  get area(): number { return areaOf(this.runs); }
  get bounds(): Box { return boundsOf(this.runs); }
  mask(): Mask { return maskOf(this.runs, this.size); }
  toRle(): RLE { return encode(this.runs, this.size); }
  toPolygons(): Polygon[] { return polygons(cropOf(this.runs)); }
}

// The answer to one prompt: its best candidate, or null everywhere if nothing matched.
export class Pick {
  constructor(readonly candidates: readonly Candidate[]) {}

  get best(): Candidate | null { return this.candidates[0] ?? null; }
  get index(): number | null { return this.best?.index ?? null; }
  get how(): How | null { return this.best?.how ?? null; }
  get score(): number { return this.best?.score ?? 0; }
  get quality(): number | null { return this.best?.quality ?? null; }
  mask(): Mask | null { return this.best?.mask() ?? null; }
}

// A COCO file of one photo.
export interface Coco {
  readonly images: readonly { id: number; file_name: string; width: number; height: number }[];
  readonly annotations: readonly Annotation[];
  readonly categories: readonly { id: number; name: string }[];
}

export interface Annotation {
  readonly id: number;
  readonly image_id: number;
  readonly category_id: number;
  readonly segmentation: RLE;
  readonly area: number;
  readonly bbox: readonly number[];
  readonly iscrowd: 0;
  readonly score: number;
  readonly quality?: number;
}

// Engines keep a photo until its result is freed; a result that nobody holds any more frees itself.
const left = new FinalizationRegistry<() => void>((free) => free());

export class Segments {
  readonly size: Size;
  readonly boxes: Float32Array; // (N, 4) xyxy in photo pixels
  readonly scores: Float32Array;
  readonly classes: Int32Array;
  readonly seconds: Seconds;
  private readonly runs: readonly Runs[];
  private readonly id: number;
  private freed = false;

  constructor(sent: Sent, private readonly engine: Engine, readonly names: readonly string[], private readonly draws: boolean) {
    ({ size: this.size, boxes: this.boxes, scores: this.scores, classes: this.classes, seconds: this.seconds, id: this.id } = sent);
    this.runs = unpackedRuns(sent.runs);
    const { id } = sent;
    left.register(this, () => void engine.forget(id).catch(() => {}), this);
  }

  get length(): number { return this.scores.length; }

  box(i: number): Box {
    this.own(i);
    return [...this.boxes.subarray(4 * i, 4 * i + 4)] as unknown as Box;
  }

  area(i: number): number { return areaOf(this.own(i)); }
  bounds(i: number): Box { return boundsOf(this.own(i)); }
  mask(i: number): Mask { return maskOf(this.own(i), this.size); }
  rle(i: number): RLE { return encode(this.own(i), this.size); }
  polygons(i: number): Polygon[] { return polygons(cropOf(this.own(i))); }

  // Answers points, boxes and masks, one pick per prompt: first `prompts`, then `points`, `boxes` and `masks`.
  async select(asked: Asked): Promise<Pick[]> {
    if (this.freed) throw new FastSAMError('closed', 'this result was freed: segment the photo again');
    const { points = [], labels, boxes = [], masks = [], refine = this.draws, among } = asked;
    const prompts = [...(asked.prompts ?? [])];
    if (points.length || labels?.length) prompts.push({ points, ...(labels ? { labels } : {}) });
    prompts.push(...boxes.map((box) => ({ box })), ...masks.map((mask) => ({ mask })));
    const found = await this.engine.select(this.id, prompts, among ?? null, refine);
    return found.map((candidates) => new Pick(candidates.map((made) => new Candidate(made, this.size))));
  }

  toRle(): RLE[] { return this.runs.map((runs) => encode(runs, this.size)); }
  toPolygons(): Polygon[][] { return this.runs.map((runs) => polygons(cropOf(runs))); }

  // COCO instances, as `fastsam segment --format coco` writes them.
  toCoco(fileName = 'photo'): Coco {
    return {
      images: [{ id: 1, file_name: fileName, ...this.size }],
      annotations: this.runs.map((runs, i) => ({
        id: i + 1, image_id: 1, category_id: this.classes[i] + 1, ...cocoOf(runs, this.size), score: rounded(this.scores[i]),
      })),
      categories: this.names.map((name, k) => ({ id: k + 1, name })),
    };
  }

  // i + 1 where mask i is, 0 where none is; small masks lie on top of large ones.
  labelMap(): Size & { readonly data: Int32Array } {
    const { width, height } = this.size, data = new Int32Array(width * height), areas = this.runs.map(areaOf);
    const order = this.runs.map((_, i) => i).sort((a, b) => areas[b] - areas[a] || a - b);
    for (const i of order) paint(this.runs[i], data, width, i + 1);
    return { width, height, data };
  }

  // Frees the photo that the engine keeps for `select`. Masks can still be read.
  async free(): Promise<void> {
    if (this.freed) return;
    this.freed = true;
    left.unregister(this);
    await this.engine.forget(this.id);
  }

  private own(i: number): Runs {
    if (!(Number.isInteger(i) && i >= 0 && i < this.length)) throw usage(`there is no segment ${i}: there are ${this.length}`);
    return this.runs[i];
  }
}

export const rounded = (value: number): number => Math.round(value * 1e5) / 1e5;

export function cocoOf(runs: Runs, size: Size): { segmentation: RLE; area: number; bbox: number[]; iscrowd: 0 } {
  const [x0, y0, x1, y1] = boundsOf(runs);
  return { segmentation: encode(runs, size), area: areaOf(runs), bbox: [x0, y0, x1 - x0, y1 - y0], iscrowd: 0 };
}
