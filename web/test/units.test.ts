// The pure functions: values of their own, or a slow obvious version to compare with.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inflateSync } from 'node:zlib';
import { detections, suppress } from '../src/detections.ts';
import { FastSAM, FastSAMError } from '../src/node.ts';
import { fit } from '../src/letterbox.ts';
import { rint } from '../src/numbers.ts';
import { png, zip } from '../src/page/png.ts';
import { polygons } from '../src/polygons.ts';
import { checked } from '../src/prompt.ts';
import { decode, encode } from '../src/rle.ts';
import { areaOf, boundsOf, cropOf, iouOf, maskOf, runsOf, shared } from '../src/runs.ts';
import { readSettings } from '../src/settings.ts';
import { photo, weights } from './photo.ts';

// Numbers 0..1 that are the same on every run.
function draws(seed: number): () => number {
  let state = seed;
  return () => { state = (Math.imul(state, 1664525) + 1013904223) >>> 0; return state / 2 ** 32; };
}

function noise(width: number, height: number, seed: number, share = 0.5): { width: number; height: number; data: Uint8Array } {
  const next = draws(seed);
  return { width, height, data: Uint8Array.from({ length: width * height }, () => Number(next() < share)) };
}

test('halves are rounded to the even integer', () => {
  assert.deepEqual([0.5, 1.5, 2.5, -0.5, 2.4, 2.6].map(rint), [0, 2, 2, 0, 2, 3]);
});

test('a letterbox is padded to multiples of 32, and a thin photo keeps one row', () => {
  assert.deepEqual(fit({ width: 600, height: 400 }, 640), {
    photo: { width: 600, height: 400 }, input: { width: 640, height: 448 }, scale: [640 / 600, 427 / 400], pad: [0, 10], content: { width: 640, height: 427 },
  });
  assert.deepEqual(fit({ width: 20_000, height: 10 }, 640).content, { width: 640, height: 1 });
  assert.throws(() => fit({ width: 10, height: 10 }, 31), /imgsz must be an integer of at least 32, not 31/);
});

test('masks become runs and RLE, and come back', () => {
  for (let seed = 1; seed < 30; seed++) {
    const mask = noise(1 + seed % 7, 1 + seed % 5, seed), runs = runsOf(mask), size = { width: mask.width, height: mask.height };
    assert.deepEqual([...maskOf(runs, size).data], [...mask.data]);
    assert.deepEqual(decode(encode(runs, size)), runs);
    assert.equal(areaOf(runs), mask.data.reduce((sum, value) => sum + value, 0));
  }
  assert.equal(encode(runsOf(noise(3, 3, 1, 0)), { width: 3, height: 3 }).counts, '9');
  assert.equal(encode(runsOf(noise(3, 3, 1, 2)), { width: 3, height: 3 }).counts, '09');
});

test('an RLE that does not fill its size is an error', () => {
  for (const counts of ['', '8', ':', 'P', '`']) {
    assert.throws(() => decode({ size: [3, 3], counts }), (error) => error instanceof FastSAMError && error.kind === 'usage', counts);
  }
});

test('shared pixels of runs are those of the masks', () => {
  for (let seed = 1; seed < 30; seed++) {
    const a = noise(9, 8, seed), b = noise(9, 8, seed + 100), both = a.data.reduce((sum, value, k) => sum + value * b.data[k], 0);
    assert.equal(shared(runsOf(a), runsOf(b)), both);
    const either = a.data.reduce((sum, value, k) => sum + Math.max(value, b.data[k]), 0);
    assert.equal(iouOf(runsOf(a), runsOf(b)), both / either);
  }
});

test('polygons enclose exactly the mask: filled again they give its pixels', () => {
  for (let seed = 1; seed < 40; seed++) {
    const mask = noise(12, 9, seed, 0.6), runs = runsOf(mask);
    if (!runs.columns.length) continue;
    const filled = new Uint8Array(12 * 9), [x0, y0] = boundsOf(runs);
    let area = 0;
    for (const { outline, holes } of polygons(cropOf(runs))) {
      for (const ring of [outline, ...holes]) {
        ring.forEach(([x, y], k) => { const [u, v] = ring[(k + 1) % ring.length]; area += (x * v - u * y) / 2; });
        ring.forEach(([x, y], k) => { // each upright edge turns everything on its right over
          const [u, v] = ring[(k + 1) % ring.length];
          if (x === u) for (let row = Math.min(y, v); row < Math.max(y, v); row++) for (let c = x; c < 12; c++) filled[row * 12 + c] ^= 1;
        });
        assert.equal(new Set(ring.map(String)).size, ring.length); // each corner once
      }
    }
    assert.equal(area, areaOf(runs), `${seed} at ${x0},${y0}`);
    assert.deepEqual([...filled], [...mask.data]);
  }
});

test('suppression keeps the better of two that overlap, and soft suppression lowers the rest', () => {
  const boxes = [0, 0, 10, 10, 1, 0, 11, 10, 5, 0, 15, 10];
  assert.deepEqual(suppress(boxes, 0.7), [0, 2]);
  const raw = new Float32Array([5, 6, 10, 5, 5, 5, 10, 10, 10, 10, 10, 10, 0.9, 0.8, 0.7, 1, 2, 3]); // rows of three anchors
  const hard = detections(raw, 6, 1, { conf: 0.1, iou: 0.7, maxDet: 9, soft: 0 });
  assert.deepEqual([...hard.coefficients], [1, 3]);
  const soft = detections(raw, 6, 1, { conf: 0.1, iou: 0.7, maxDet: 9, soft: 0.5 });
  assert.ok(Math.abs(soft.scores[1] - 0.7 * Math.exp(-2 / 9)) < 1e-6);
  raw[12] = NaN;
  assert.deepEqual([...detections(raw, 6, 1, { conf: 0.1, iou: 0.7, maxDet: 9, soft: 0 }).coefficients], [2, 3]);
});

test('settings are read from the weights, and weights that are cut or foreign are an error', async () => {
  const bytes = await weights('fastsam-tiny-int8');
  assert.deepEqual(readSettings(bytes), { names: ['object'], imgsz: 640, conf: 0.018, iou: 0.8, maxDet: 500, margin: 0.15, soft: 0.5, placed: 4 });
  for (const cut of [1, 100, 1_000_000, bytes.length - 1]) assert.throws(() => readSettings(bytes.subarray(0, cut)), FastSAMError, String(cut));
  const next = draws(7);
  for (let k = 0; k < 200; k++) {
    const broken = Uint8Array.from({ length: 40 }, () => next() * 256);
    try { readSettings(broken); } catch (error) { assert.ok(error instanceof FastSAMError); }
  }
});

test('a prompt outside the photo, without area, or without anything is an error that names it', () => {
  const size = { width: 60, height: 40 };
  const wrong: [object, RegExp][] = [
    [{}, /needs a foreground point/],
    [{ points: [[1, 2]], labels: [0] }, /needs a foreground point/],
    [{ points: [[60, 2]] }, /point 60,2 lies outside the photo of 60 x 40/],
    [{ points: [[NaN, 2]] }, /2 finite numbers/],
    [{ points: [[1, 2]], labels: [1, 1] }, /2 labels given for 1 points/],
    [{ points: [[1, 2]], labels: [2] }, /labels must be 1/],
    [{ box: [5, 5, 5, 9] }, /has no area/],
    [{ box: [70, 0, 80, 9] }, /lies outside/],
    [{ mask: { width: 3, height: 3, data: new Uint8Array(9) } }, /the mask is 3 x 3 pixels but the photo is 60 x 40/],
    [{ mask: { ...size, data: new Uint8Array(2400) } }, /the mask is empty/],
  ];
  for (const [prompt, message] of wrong) assert.throws(() => checked(prompt, size), (error) => error instanceof FastSAMError && message.test(error.message), String(message));
});

test('a PNG of labels has 16 bits, and a zip holds its files', async () => {
  const made = Buffer.from(await png(2, 1, 'labels', [1, 700]));
  const start = made.indexOf('IDAT') + 4, length = made.readUInt32BE(start - 8);
  assert.deepEqual([...inflateSync(made.subarray(start, start + length))], [0, 0, 1, 700 >> 8, 700 & 255]);
  const packed = Buffer.from(zip([{ name: 'a.txt', data: Buffer.from('one') }, { name: 'b.txt', data: Buffer.from('two') }]));
  assert.equal(packed.readUInt16LE(packed.length - 12), 2);
  assert.ok(packed.includes('a.txt') && packed.includes('two'));
});

test('the library answers, writes COCO and a label map, and says what is wrong', async () => {
  const model = await FastSAM.load(await weights('fastsam-tiny-int8'));
  const segments = await model.segment(await photo('coffee.jpg'), { maxDet: 20 });
  assert.ok(segments.length > 3 && segments.length <= 20);
  const [pick] = await segments.select({ points: [[segments.size.width / 2, segments.size.height / 3]] });
  assert.equal(pick.how, 'mask');
  assert.deepEqual(pick.mask(), segments.mask(pick.index!));
  const coco = segments.toCoco('coffee.jpg');
  assert.equal(coco.annotations.length, segments.length);
  assert.equal(coco.annotations[0].area, segments.area(0));
  const map = segments.labelMap(), smallest = Array.from({ length: segments.length }, (_, i) => i).reduce((a, b) => (segments.area(b) < segments.area(a) ? b : a));
  assert.equal(map.data.filter((label) => label === smallest + 1).length, segments.area(smallest));
  await assert.rejects(segments.select({ points: [[-1, 2]] }), /outside the photo/);
  await assert.rejects(segments.select({ points: [[1, 2]], refine: true }), /there is no second network/);
  await assert.rejects(segments.select({ points: [[1, 2]], among: [99] }), /there is no segment 99/);
  assert.throws(() => segments.mask(segments.length), /there is no segment/);
  await assert.rejects(model.segment('coffee.jpg' as never), /a photo must be a Blob/);
  await assert.rejects(model.segment({ width: 3, height: 3, data: new Uint8ClampedArray(5) } as ImageData), (error) => error instanceof FastSAMError && error.kind === 'photo');
  await assert.rejects(model.segment(await photo('coffee.jpg'), { conf: 2 }), /conf must be a number from 0 to 1, not 2/);
  await segments.free();
  await assert.rejects(segments.select({ points: [[1, 2]] }), (error) => error instanceof FastSAMError && error.kind === 'closed');
  await assert.rejects(FastSAM.load((await weights('fastsam-tiny-int8')).subarray(0, 5_000_000)), (error) => error instanceof FastSAMError && error.kind === 'weights');
});
