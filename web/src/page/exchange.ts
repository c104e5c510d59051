// What is kept of all photos, to and from other programs: as `serve/projects/export.py` and `imports.py`, but fewer.

import { FastSAMError } from '../errors.ts';
import { polygons } from '../polygons.ts';
import { decode, encode } from '../rle.ts';
import { cropOf, runsOf, type Runs } from '../runs.ts';
import { cocoOf } from '../segments.ts';
import type { Size } from '../values.ts';
import { zip } from './png.ts';
import { joined, ringsOf } from './rings.ts';

export const EXPORTS = ['coco', 'coco-polygons', 'yolo', 'labelme'];

export interface Labelled {
  readonly format: string;
  readonly classes: readonly string[];
  readonly photos: readonly Kept[];
}

interface Kept extends Size {
  readonly name: string;
  readonly objects: readonly { readonly name: string; readonly counts: string }[];
}

export interface Taken extends Size {
  readonly name: string;
  readonly objects: readonly { readonly name: string; readonly counts: string; readonly hidden: false; readonly locked: false }[];
}

export function exported(all: Labelled): { blob: Blob; name: string } {
  const { format, classes, photos } = all, stem = ({ name }: Kept): string => name.replace(/\.[^./]+$/, '');
  const text = (content: string): Uint8Array => new TextEncoder().encode(content), line = (name: string): string => name.split(/\s+/).filter(Boolean).join(' ');
  switch (format) {
    case 'coco': case 'coco-polygons':
      return { blob: new Blob([coco(all, format === 'coco-polygons')], { type: 'application/json' }), name: 'instances.json' };
    case 'yolo': {
      const labels = photos.map((photo) => ({ name: `labels/${stem(photo)}.txt`, data: text(yolo(photo, classes)) }));
      const names = classes.map((name, k) => `  ${k}: ${JSON.stringify(line(name))}\n`).join('');
      return packed('yolo.zip', [
        ...labels, { name: 'classes.txt', data: text(classes.map((name) => `${line(name)}\n`).join('')) },
        { name: 'data.yaml', data: text(`path: .\ntrain: images\nval: images\nnames:\n${names}`) },
      ]);
    }
    case 'labelme':
      return packed('labelme.zip', photos.map((photo) => ({ name: `${stem(photo)}.json`, data: text(labelme(photo)) })));
    default:
      throw new FastSAMError('usage', `${format} needs \`fastsam serve\``);
  }
}

const packed = (name: string, files: readonly { name: string; data: Uint8Array }[]): { blob: Blob; name: string } =>
  ({ blob: new Blob([zip(files) as BlobPart], { type: 'application/zip' }), name });

const runsIn = ({ width, height }: Size, counts: string): Runs => decode({ size: [height, width], counts });

function coco({ classes, photos }: Labelled, outlines: boolean): string {
  const images = photos.map(({ name: called, width, height }, k) => ({ id: k + 1, file_name: called, width, height }));
  const annotations = photos.flatMap((photo, k) => photo.objects.map(({ name, counts }) => {
    const runs = runsIn(photo, counts), row = cocoOf(runs, photo);
    const segmentation = outlines ? polygons(cropOf(runs)).map(({ outline, holes }) => joined([outline, ...holes]).flat()) : row.segmentation;
    return { image_id: k + 1, category_id: classes.indexOf(name) + 1, ...row, segmentation };
  }));
  const categories = (classes.length ? classes : ['object']).map((word, k) => ({ id: k + 1, name: word }));
  return JSON.stringify({ images, annotations: annotations.map((row, k) => ({ id: k + 1, ...row })), categories });
}

// One line per object: the number of its class, and one ring in shares of the photo's sides.
export function yolo(photo: Kept, classes: readonly string[]): string {
  const lines = photo.objects.map(({ name, counts }) => {
    const rings = ringsOf(runsIn(photo, counts));
    if (!rings.length) return '';
    const shares = joined(rings).flatMap(([x, y]) => [x / photo.width, y / photo.height].map((share) => share.toFixed(6)));
    return `${classes.indexOf(name)} ${shares.join(' ')}\n`;
  });
  return lines.join('');
}

export function labelme(photo: Kept): string {
  const shapes = photo.objects.flatMap(({ name, counts }, number) => ringsOf(runsIn(photo, counts)).map((points) => (
    { label: name, points, group_id: number, description: '', shape_type: 'polygon', flags: {} })));
  const { width: imageWidth, height: imageHeight } = photo;
  return JSON.stringify({ version: '5.5.0', flags: {}, shapes, imagePath: photo.name.split('/').pop(), imageData: null, imageHeight, imageWidth });
}

interface Row { readonly image_id: unknown; readonly category_id: unknown; readonly segmentation: Parameters<typeof decode>[0] | readonly (readonly number[])[] }
interface File_ { images: (Size & { id: unknown; file_name: string })[]; annotations: Row[]; categories?: { id: unknown; name: string }[] }

// The photos of a COCO file, and their objects.
export function imported(text: string): Taken[] {
  let content: Partial<File_> | null;
  try {
    content = JSON.parse(text) as Partial<File_> | null;
  } catch {
    throw new FastSAMError('usage', 'the file is not JSON: choose a COCO file');
  }
  const { images, annotations, categories = [] } = content ?? {};
  if (!Array.isArray(images) || !Array.isArray(annotations)) {
    throw new FastSAMError('usage', 'the file has no images and annotations, as COCO files have: other formats need `fastsam serve`');
  }
  const names = new Map(categories.map(({ id, name }) => [id, String(name).slice(0, 200) || 'object']));
  return images.map(({ id, file_name: name, width, height }) => {
    try {
      const rows = annotations.filter((row) => row.image_id === id && row.segmentation), size = { width, height };
      const objects = rows.map(({ category_id: kind, segmentation }) => {
        const { counts } = encode(runsOfRow(segmentation, size), size);
        return { name: names.get(kind) ?? 'object', counts, hidden: false, locked: false } as const;
      });
      return { name: String(name), width, height, objects };
    } catch (error) {
      throw new FastSAMError('usage', `the annotations of ${String(name)} cannot be read: ${(error as Error).message}`);
    }
  });
}

function runsOfRow(segmentation: Row['segmentation'], size: Size): Runs {
  if (!('counts' in segmentation)) {
    const data = new Uint8Array(size.width * size.height);
    for (const polygon of segmentation) filled(polygon, size, data);
    return runsOf({ ...size, data });
  }
  const [height, width] = segmentation.size;
  if (width !== size.width || height !== size.height) throw new FastSAMError('usage', `a mask has ${width} x ${height} pixels, its photo ${size.width} x ${size.height}`);
  return decode(segmentation);
}

// Sets the pixels whose centres have an odd number of a polygon's edges to their left.
export function filled(polygon: readonly number[], { width, height }: Size, data: Uint8Array): void {
  if (!Array.isArray(polygon) || polygon.length < 6 || polygon.length % 2 || !polygon.every(Number.isFinite)) {
    throw new FastSAMError('usage', 'a polygon must be x, y, x, y, x, y, ...');
  }
  for (let row = 0; row < height; row++) {
    const places: number[] = [], y = row + 0.5;
    for (let k = 0; k < polygon.length; k += 2) {
      const x0 = polygon[k], y0 = polygon[k + 1], x1 = polygon[(k + 2) % polygon.length], y1 = polygon[(k + 3) % polygon.length];
      if ((y0 <= y) !== (y1 <= y)) places.push(x0 + (y - y0) / (y1 - y0) * (x1 - x0));
    }
    places.sort((a, b) => a - b);
    for (let k = 0; k + 1 < places.length; k += 2) {
      const left = Math.max(0, Math.ceil(places[k] - 0.5)), right = Math.min(width, Math.ceil(places[k + 1] - 0.5));
      if (left < right) data.fill(1, row * width + left, row * width + right);
    }
  }
}
