// What is kept of all photos, as files of other programs.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exported, filled, imported, yolo } from '../src/page/exchange.ts';
import { encode } from '../src/rle.ts';
import { maskOf, runsOf } from '../src/runs.ts';

const WIDTH = 40, HEIGHT = 30, SIZE = { width: WIDTH, height: HEIGHT };

type Inside = (x: number, y: number) => boolean;
const disk = (cx: number, cy: number, r: number): Inside => (x, y) => (x - cx) ** 2 + (y - cy) ** 2 <= r * r;
const counts = (inside: Inside): string =>
  encode(runsOf({ ...SIZE, data: Uint8Array.from({ length: WIDTH * HEIGHT }, (_, at) => Number(inside(at % WIDTH, Math.floor(at / WIDTH)))) }), SIZE).counts;

const MASKS: Record<string, Inside> = {
  disk: disk(14, 13, 9),
  ring: (x, y) => disk(14, 13, 11)(x, y) && !disk(15, 12, 4)(x, y),
  'two parts': (x, y) => disk(8, 8, 5)(x, y) || disk(28, 20, 7)(x, y),
  pixel: (x, y) => x === 3 && y === 4,
  line: (x, y) => y === 7 && x > 3 && x < 20,
  corners: (x, y) => (x < 5 && y < 5) || (x > 4 && x < 9 && y > 4 && y < 9),
  whole: () => true,
  notch: (x, y) => x < 30 && y < 20 && !(x > 10 && x < 20 && y > 8),
};
const photos = [{ name: 'street/Zürich.jpg', ...SIZE, objects: Object.keys(MASKS).map((name) => ({ name, counts: counts(MASKS[name]) })) }];
const all = { classes: Object.keys(MASKS), photos };

test('COCO as RLE and as polygons comes back as the same masks, with holes and in several parts', async () => {
  for (const format of ['coco', 'coco-polygons']) {
    const { blob, name } = exported({ format, ...all }), [photo] = imported(await blob.text());
    assert.equal(name, 'instances.json');
    assert.equal(photo.name, 'street/Zürich.jpg');
    assert.deepEqual(photo.objects.map((one) => [one.name, one.counts]), photos[0].objects.map((one) => [one.name, one.counts]));
  }
});

// A program that fills a ring and draws it, as OpenCV's fillPoly.
function drawn(ring: readonly number[]): Uint8Array {
  const data = new Uint8Array(WIDTH * HEIGHT);
  filled(ring, SIZE, data);
  for (let k = 0; k < ring.length; k += 2) {
    const [x, y, u, v] = [0, 1, 2, 3].map((j) => Math.floor(ring[(k + j) % ring.length])), steps = Math.max(1, Math.abs(u - x), Math.abs(v - y));
    for (let s = 0; s <= steps; s++) data[Math.round(y + s / steps * (v - y)) * WIDTH + Math.round(x + s / steps * (u - x))] = 1;
  }
  return data;
}

test('a program that fills and draws the lines of YOLO gets the masks; cuts between parts are as thin as a pixel', () => {
  const lines = yolo(photos[0], all.classes).trim().split('\n');
  assert.equal(lines.length, all.classes.length);
  lines.forEach((line, k) => {
    const [kind, ...shares] = line.split(' ').map(Number), found = drawn(shares.map((share, j) => share * (j % 2 ? HEIGHT : WIDTH)));
    const wanted = maskOf(runsOf({ ...SIZE, data: Uint8Array.from({ length: WIDTH * HEIGHT }, (_, at) => Number(MASKS[all.classes[k]](at % WIDTH, Math.floor(at / WIDTH)))) }), SIZE).data;
    const wrong = found.filter((value, at) => value !== wanted[at]).length;
    assert.equal(kind, k);
    assert.ok(wrong <= (all.classes[k] === 'two parts' ? 30 : 0), `${all.classes[k]}: ${wrong} pixels`);
  });
});

test('zips hold a file for each photo, with its own letters in the name', async () => {
  for (const [format, inner] of [['yolo', 'labels/street/Zürich.txt'], ['labelme', 'street/Zürich.json']]) {
    const { blob, name } = exported({ format, ...all }), text = new TextDecoder().decode(await blob.arrayBuffer());
    assert.equal(name, `${format}.zip`);
    assert.ok(text.includes(inner), text.slice(0, 80));
  }
  const { blob } = exported({ format: 'labelme', ...all }), text = new TextDecoder().decode(await blob.arrayBuffer());
  const { shapes, imagePath } = JSON.parse(text.slice(text.indexOf('{'), text.lastIndexOf('}') + 1));
  assert.equal(imagePath, 'Zürich.jpg');
  assert.equal(shapes.filter((shape: { label: string }) => shape.label === 'two parts').length, 2);
});

test('a file that is no COCO file, and masks of another size, are an error that says so', () => {
  assert.throws(() => imported('{'), /not JSON/);
  assert.throws(() => imported('{"shapes": []}'), /no images and annotations/);
  const image = { id: 1, file_name: 'a.jpg', ...SIZE };
  for (const segmentation of [[[1, 2, 3]], { size: [3, 3], counts: '9' }, { size: [HEIGHT, WIDTH], counts: '9' }]) {
    assert.throws(() => imported(JSON.stringify({ images: [image], annotations: [{ image_id: 1, category_id: 1, segmentation }] })), /the annotations of a\.jpg cannot be read/);
  }
});
