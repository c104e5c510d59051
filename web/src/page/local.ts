// The page's engine that runs in the visitor's own browser. What an engine is says `serve/page/engine.js`.

import { FastSAM, FastSAMError, type Box, type Candidate, type Pick, type Point, type Prompt, type RLE, type Segments } from '../index.ts';
import { pixelsOf } from '../read.ts';
import { areaOf, runsOf, type Runs } from '../runs.ts';
import { cocoOf, rounded, type Annotation } from '../segments.ts';
import { decode } from '../rle.ts';
import { cutout } from './cutout.ts';
import * as exchange from './exchange.ts';
import type { Labelled } from './exchange.ts';
import { png, zip } from './png.ts';

export const server = false;
export const film = null;  // a browser alone does not read the frames of a video one by one

const MODEL = 'fastsam-tiny-int8';
const HERE = (path: string): string => new URL(path, import.meta.url).href;

interface Row extends Omit<Annotation, 'id' | 'image_id'> {
  readonly index: number | null;
  readonly box?: readonly number[];
}

interface Asked {
  readonly among: readonly number[];
  readonly prompts?: readonly { points: Point[]; labels: number[]; box?: Box; mask?: RLE }[];
  readonly refine?: boolean;
}

interface Kept {
  readonly file: File;
  readonly segments: Segments;
  readonly rows: readonly Row[];
}

const kept = new Map<string, Kept>();
let model: Promise<FastSAM> | null = null;

function loaded(): Promise<FastSAM> {
  model ??= FastSAM.load(HERE(`../../weights/${MODEL}.onnx.gz`), { runtime: HERE('../../lib/') });
  return model;
}

export async function about(): Promise<Record<string, unknown>> {
  const { runtime, settings: { conf, iou, maxDet, imgsz } } = await loaded();
  return { runtime, version: '', model: runtime === 'webgpu' ? 'fastsam-tiny' : MODEL, conf, iou, max_det: maxDet, imgsz, words: false, formats: ['cutouts', 'coco', 'labelme', 'png', 'overlay'], exports: exchange.EXPORTS };
}

interface Options { conf: number; iou: number; max_det: number; refine?: boolean }

export async function segment(file: File, { conf, iou, max_det: maxDet, refine = false }: Options, sending: (share: number | null) => void): Promise<object> {
  const own = await loaded();
  sending(null);
  const segments = await own.segment(file, { conf, iou, maxDet, refine }), id = crypto.randomUUID();
  const rows = segments.toRle().map((segmentation, index): Row => ({
    index, category_id: segments.classes[index] + 1, ...cocoOf(decode(segmentation), segments.size), segmentation,
    score: rounded(segments.scores[index]), box: [...segments.box(index)],
  }));
  kept.set(id, { file, segments, rows });
  return { id, name: file.name || 'photo', ...segments.size, names: segments.names, seconds: segments.seconds, segments: rows };
}

function photoOf(id: string): Kept {
  const one = kept.get(id);
  if (!one) throw Object.assign(new Error('this photo was forgotten: open it again'), { status: 404 });
  return one;
}

export async function select(id: string, asked: Asked): Promise<(object | null)[]> {
  const { rows, segments } = photoOf(id), picks = await chosen(id, asked);
  return picks.map((pick) => {
    const { best } = pick;
    if (!best) return null;
    const candidates = pick.candidates.map((one) => candidateOf(one, segments));
    const row = best.how === 'mask' && best.index !== null ? { ...rows[best.index], score: rounded(best.score) } : rowOf(best, segments);
    return { how: best.how, ...row, candidates };
  });
}

async function chosen(id: string, { among, prompts = [], refine = true }: Asked): Promise<Pick[]> {
  const asked = prompts.map(({ points, labels, box, mask }): Prompt => ({ points, labels, ...(box && { box }), ...(mask && { mask }) }));
  return photoOf(id).segments.select({ prompts: asked, among, refine });
}

function rowOf(one: Candidate, { size, classes }: Segments): Row {
  const quality = one.quality === null ? {} : { quality: rounded(one.quality) };
  const category = one.index === null ? 1 : classes[one.index] + 1;
  return { index: one.index, category_id: category, ...cocoOf(decode(one.toRle()), size), score: rounded(one.score), ...quality };
}

function candidateOf(one: Candidate, segments: Segments): object {
  const { how, index, plus, minus } = one, score = rounded(one.score);
  if (how === 'drawn') return { how, ...rowOf(one, segments) };
  return { index, score, ...(how === 'mask' ? {} : { how, plus, minus }) };
}

export async function name(): Promise<never> {
  throw new FastSAMError('usage', 'words need `fastsam serve`');
}

interface Wanted extends Asked { readonly format: string; readonly rank?: number }
interface Item extends Row { readonly runs: Runs; readonly label: string; readonly called: number }

export async function file(id: string, wanted: Wanted): Promise<{ blob: Blob; name: string }> {
  const one = photoOf(id), photo = one.file.name || 'photo', stem = photo.replace(/\.[^.]*$/, '') || 'photo', found = await items(id, wanted);
  const made = (data: Uint8Array | string, ending: string, type: string): { blob: Blob; name: string } =>
    ({ blob: new Blob([data as BlobPart], { type }), name: `${stem}${ending}`.replace(/[^A-Za-z0-9._-]/g, '_') });
  const { width, height } = one.segments.size;
  switch (wanted.format) {
    case 'coco':
      return made(coco(one.segments, photo, found), '.json', 'application/json');
    case 'labelme': {
      const objects = found.map(({ category_id: category, segmentation: { counts } }) => ({ name: one.segments.names[category - 1], counts }));
      return made(exchange.labelme({ name: photo, width, height, objects }), '.json', 'application/json');
    }
    case 'png':
      return made(await png(width, height, 'labels', labels(found, width, height)), '-labels.png', 'image/png');
    case 'overlay':
      return { ...made('', '.png', 'image/png'), blob: await overlay(one, found) };
    case 'cutouts': {
      const pixels = await pixelsOf(one.file);
      const files = await Promise.all(found.map(async ({ runs, label }) => {
        const { width: w, height: h, data } = cutout(pixels, runs);
        return { name: `${label}.png`, data: await png(w, h, 'rgba', data) };
      }));
      return files.length === 1 ? made(files[0].data, `-${files[0].name}`, 'image/png') : made(zip(files), '-cutouts.zip', 'application/zip');
    }
    default:
      throw new FastSAMError('usage', `${wanted.format} needs \`fastsam serve\``);
  }
}

// What is written: all masks that stay, or the candidate of a prompt.
async function items(id: string, wanted: Wanted): Promise<Item[]> {
  const { rows, segments } = photoOf(id);
  if (!wanted.prompts) {
    return wanted.among.map((i, k) => ({ ...rows[i], runs: decode(rows[i].segmentation), label: String(k).padStart(3, '0'), called: k + 1 }));
  }
  const picks = await chosen(id, wanted);
  return picks.flatMap(({ candidates }, k) => candidates.slice(wanted.rank ?? 0, (wanted.rank ?? 0) + 1).map((one) => (
    { ...rowOf(one, segments), runs: runsOf(one.mask()), label: `prompt${String(k).padStart(2, '0')}-00`, called: k + 1 })));
}

function coco({ names, size }: Segments, photo: string, found: readonly Item[]): string {
  const annotations = found.map(({ category_id, segmentation, area, bbox, iscrowd, score, quality }, k) => (
    { id: k + 1, image_id: 1, category_id, segmentation, area, bbox, iscrowd, score, ...(quality === undefined ? {} : { quality }) }));
  const categories = names.map((word, k) => ({ id: k + 1, name: word }));
  return JSON.stringify({ images: [{ id: 1, file_name: photo, ...size }], annotations, categories });
}

function labels(found: readonly Item[], width: number, height: number): Int32Array {
  const data = new Int32Array(width * height);
  for (const { runs, called } of [...found].sort((a, b) => areaOf(b.runs) - areaOf(a.runs))) {
    runs.columns.forEach((column, k) => {
      for (let y = runs.tops[k]; y < runs.bottoms[k]; y++) data[y * width + column] = called;
    });
  }
  return data;
}

interface Colour { readonly rgb: readonly number[] }
interface Draw {
  colour(segment: { index: number; area: number; score: number }, how: string, photo: number): Colour;
  drawLabels(canvas: OffscreenCanvas, labels: Int32Array, colours: readonly (readonly number[])[], opacity: number, outlines: boolean): void;
}

// The photo with the masks on it, in the page's own colours.
async function overlay({ file: photo, segments: { size: { width, height } } }: Kept, found: readonly Item[]): Promise<Blob> {
  const { colour, drawLabels } = await import(HERE('../draw.js')) as Draw;
  const bitmap = await createImageBitmap(photo), canvas = new OffscreenCanvas(width, height), over = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d');
  if (!context) throw new FastSAMError('memory', 'the browser gives no more memory: take a smaller photo');
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  const colours = found.map((item) => colour({ ...item, index: item.index ?? 0 }, 'many', width * height).rgb);
  drawLabels(over, labels(found, width, height), colours, 0.5, true);
  context.drawImage(over, 0, 0);
  return canvas.convertToBlob({ type: 'image/png' });
}

// What is kept of all photos, in one file.
export async function exported(all: Labelled): Promise<{ blob: Blob; name: string }> {
  return exchange.exported(all);
}

export async function imported(files: readonly File[]): Promise<{ photos: exchange.Taken[]; unsized: string[] }> {
  const all = await Promise.all(files.map(async (one) => exchange.imported(await one.text())));
  return { photos: all.flat(), unsized: [] };
}

export async function example(called: string): Promise<Blob> {
  return (await fetch(HERE(`../${called}`))).blob();
}

export async function forget(id: string): Promise<void> {
  const one = kept.get(id);
  kept.delete(id);
  await one?.segments.free().catch(() => {});
}
