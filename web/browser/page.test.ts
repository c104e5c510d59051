// The built folder on a plain static server, in a browser: what a visitor does, what goes wrong, and no connection.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { launch } from './chromium.ts';
import { serve, type Served } from './serve.ts';

const PATIENCE = 240_000; // milliseconds; no test depends on how fast the machine is
let browser: Browser, host: Served;
before(async () => { browser = await launch(); host = await serve(); });
after(async () => { await browser.close(); host.close(); });

async function opened(address = host.address, prepare: (context: BrowserContext) => Promise<unknown> = async () => {}): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, serviceWorkers: 'allow' });
  context.setDefaultTimeout(PATIENCE);
  await prepare(context);
  const page = await context.newPage();
  await page.goto(address);
  return page;
}

async function upload(page: Page, name = 'photo.jpg', buffer?: Buffer, mimeType = 'image/jpeg'): Promise<void> {
  const file = buffer ?? await readFile(new URL('../test/photos/coffee.jpg', import.meta.url));
  await page.locator('#file').setInputFiles({ name, mimeType, buffer: file });
}

// Waits until a photo of this name is shown, and nothing is under way.
async function shown(page: Page, name = 'photo.jpg'): Promise<void> {
  await page.waitForFunction((wanted) => document.getElementById('facts')?.textContent?.startsWith(wanted) && document.getElementById('working')?.hidden, name);
}

async function answered(page: Page): Promise<string> {
  await page.waitForFunction(() => document.getElementById('answer')?.textContent && document.getElementById('picked')?.getAttribute('aria-busy') === 'false');
  return await page.locator('#answer').textContent() ?? '';
}

async function at(page: Page, x: number, y: number): Promise<[number, number]> {
  const box = await page.locator('#picked').boundingBox();
  assert.ok(box);
  return [box.x + x * box.width, box.y + y * box.height];
}

async function failed(page: Page): Promise<string> {
  await page.waitForSelector('#error:not([hidden])');
  return await page.locator('#error span').textContent() ?? '';
}

// A photo of any size, made by the browser itself.
async function painted(page: Page, width: number, height: number): Promise<Buffer> {
  const bytes = await page.evaluate(async ([w, h]) => {
    const canvas = new OffscreenCanvas(w, h), context = canvas.getContext('2d')!;
    context.fillStyle = '#789';
    context.fillRect(0, 0, w, h);
    context.fillStyle = '#e33';
    context.beginPath();
    context.ellipse(w / 2, h / 2, w / 5, h / 5, 0, 0, 7);
    context.fill();
    const blob = await canvas.convertToBlob({ type: 'image/jpeg', quality: 0.8 });
    return btoa(Array.from(new Uint8Array(await blob.arrayBuffer()), (byte) => String.fromCharCode(byte)).join(''));
  }, [width, height]);
  return Buffer.from(bytes, 'base64');
}

test('a visitor uploads, hovers, clicks, drags a box and saves, and nothing is asked of another host', async () => {
  const foreign: string[] = [];
  const page = await opened(host.address, async (context) => {
    context.on('request', (request) => { if (!/^(data|blob):/.test(request.url()) && !request.url().startsWith(host.address)) foreign.push(request.url()); });
  });
  await upload(page);
  await shown(page);
  for (const hidden of ['#words', '#naming']) assert.equal(await page.locator(hidden).isVisible(), false, hidden);

  const before = host.sent.requests.length;
  await page.mouse.move(...await at(page, 0.5, 0.35));
  await page.waitForFunction(() => document.getElementById('status')?.textContent?.startsWith('object'));
  assert.equal(host.sent.requests.length, before);

  await page.mouse.click(...await at(page, 0.5, 0.35));
  assert.match(await answered(page), /^drawn/);
  const drawn = await saved(page, 'coco');
  const [one] = JSON.parse(drawn.toString()).annotations;
  assert.ok(one.quality > 0.2 && one.area > 5000, JSON.stringify(one).slice(0, 200));
  const { shapes } = JSON.parse((await saved(page, 'labelme')).toString());
  assert.ok(shapes.length === 1 && shapes[0].shape_type === 'polygon', JSON.stringify(shapes).slice(0, 200));
  assert.deepEqual([...(await saved(page, 'cutouts')).subarray(1, 4)], [...Buffer.from('PNG')]);

  await page.keyboard.press('Escape');
  await page.mouse.move(...await at(page, 0.52, 0.6));
  await page.mouse.down();
  await page.mouse.move(...await at(page, 0.75, 0.9), { steps: 4 });
  await page.mouse.up();
  assert.ok(await answered(page));

  await page.locator('#clear').click();
  const all = JSON.parse((await saved(page, 'coco')).toString());
  assert.equal(all.annotations.length, Number(await page.locator('#count').textContent()));
  assert.deepEqual([...(await saved(page, 'cutouts')).subarray(0, 2)], [...Buffer.from('PK')]);
  const labels = await saved(page, 'png');
  assert.equal(labels[24], 16); // bits
  assert.deepEqual([...(await saved(page, 'overlay')).subarray(1, 4)], [...Buffer.from('PNG')]);
  assert.deepEqual(foreign, []);
  await page.context().close();
});

async function saved(page: Page, format: string): Promise<Buffer> {
  const [download] = await Promise.all([page.waitForEvent('download'), page.locator(`[data-format="${format}"]`).click()]);
  return readFile(await download.path());
}

test('a visitor sees things, every part, or regions, and saves what is shown', async () => {
  const page = await opened();
  await upload(page);
  await shown(page);
  const counts: number[] = [];
  for (const level of ['parts', 'things', 'regions']) {
    await page.locator('#level').selectOption(level);
    counts.push(await page.locator('#list li').count());
    assert.equal(JSON.parse((await saved(page, 'coco')).toString()).annotations.length, counts.at(-1));
  }
  assert.ok(counts[0] > counts[1] && counts[1] > counts[2] && counts[2] > 1, counts.join());
  await page.context().close();
});

test('objects are kept over a reload, go out as COCO and come in again; what needs a server is not offered', async () => {
  const page = await opened();
  await upload(page);
  await shown(page);
  await page.locator('#kind-name').fill('cup');
  await page.keyboard.press('Enter');
  await page.mouse.click(...await at(page, 0.5, 0.35));
  await answered(page);
  await page.locator('#accept').click();
  await page.waitForFunction(() => document.getElementById('saved')?.textContent === 'Saved');
  await page.reload();
  await shown(page);
  assert.match(await page.locator('#objects li').innerText(), /1 cup/);
  assert.deepEqual(await page.locator('#export-format option:not([hidden])').allTextContents(), ['COCO', 'COCO, polygons', 'YOLO', 'labelme']);
  const [download] = await Promise.all([page.waitForEvent('download'), page.locator('#export').click()]);
  const { images, annotations: [one], categories } = JSON.parse(await readFile(await download.path(), 'utf8'));
  assert.equal(download.suggestedFilename(), 'instances.json');
  assert.deepEqual(images, [{ id: 1, file_name: 'photo.jpg', width: 384, height: 256 }]);
  assert.equal(categories[one.category_id - 1].name, 'cup');
  assert.ok(one.area > 5000 && one.segmentation.size.join() === '256,384', JSON.stringify(one).slice(0, 200));
  await page.locator('#import-file').setInputFiles(await download.path());
  await page.waitForFunction(() => document.querySelectorAll('#objects li').length === 2);
  await page.context().close();
});

test('what is no photo gets a sentence, and the page goes on', async () => {
  const page = await opened();
  await upload(page, 'words.jpg', Buffer.from('these are words'));
  assert.match(await failed(page), /words\.jpg: this is not a photo that the browser can read/);
  await upload(page);
  await shown(page);
  await page.context().close();
});

test('a photo of 20000 x 10 pixels and one of 20 megapixels are segmented', async () => {
  const page = await opened();
  await upload(page, 'thin.jpg', await painted(page, 20_000, 10));
  await shown(page, 'thin.jpg · 20000 × 10');
  await upload(page, 'large.jpg', await painted(page, 5472, 3648));
  await shown(page, 'large.jpg · 5472 × 3648');
  await page.mouse.click(...await at(page, 0.5, 0.5));
  assert.match(await answered(page), /drawn/);
  await page.context().close();
});

test('weights that are cut, and weights that are not there, get a sentence', async () => {
  const cut = await serve({ cut: ['tiny-int8.onnx.gz'] });
  const page = await opened(cut.address);
  assert.match(await failed(page), /fastsam-tiny-int8\.onnx\.gz cannot be loaded: the file is damaged/);
  await page.context().close();
  cut.close();
  const away = await opened(host.address, (context) => context.route('**/fastsam-tiny-int8.onnx.gz', (route) => route.fulfill({ status: 404 })));
  assert.match(await failed(away), /cannot be loaded: the server answered 404/);
  await away.context().close();
});

// The worker's script with a line before it that takes something away.
const without = (line: string) => async (context: BrowserContext): Promise<void> => {
  await context.route('**/lib/worker.js', async (route) => {
    const body = await readFile(new URL('../dist/lib/worker.js', import.meta.url), 'utf8');
    await route.fulfill({ contentType: 'text/javascript', body: line + body });
  });
};

test('a browser without WebAssembly gets a sentence', async () => {
  const page = await opened(host.address, without('delete globalThis.WebAssembly;'));
  assert.match(await failed(page), /this browser has no WebAssembly/);
  await page.context().close();
});

test('where memory is refused, a sentence says so', async () => {
  const page = await opened(host.address, without('globalThis.OffscreenCanvas = class { constructor() { throw new RangeError("Array buffer allocation failed"); } };'));
  await upload(page);
  assert.match(await failed(page), /the browser gives no more memory/);
  await page.context().close();
});

test('after the first visit it needs no connection, and has threads', async () => {
  const own = await serve(), page = await opened(own.address);
  await upload(page);
  await shown(page);
  await page.evaluate(async () => { await navigator.serviceWorker.ready; });
  await page.waitForFunction(() => navigator.serviceWorker.controller);
  assert.ok(own.sent.bytes < 20e6, `${own.sent.bytes} bytes over the wire`); // what the networks need is sent once
  own.close();
  await page.context().setOffline(true);
  await page.reload();
  assert.equal(await page.evaluate(() => crossOriginIsolated), true);
  await page.locator('[data-example="rocket.jpg"]').click();
  await shown(page, 'rocket.jpg');
  await page.mouse.click(...await at(page, 0.5, 0.5));
  assert.ok(await answered(page));
  await page.context().close();
});

test('two tabs do not disturb each other', async () => {
  const one = await opened(), two = await one.context().newPage();
  await two.goto(host.address);
  await Promise.all([upload(one, 'a.jpg'), upload(two, 'b.jpg')]);
  await Promise.all([shown(one, 'a.jpg'), shown(two, 'b.jpg')]);
  for (const page of [one, two]) {
    await page.bringToFront();
    await page.mouse.click(...await at(page, 0.5, 0.35));
    assert.match(await answered(page), /drawn/);
  }
  await one.context().close();
});

test('the example of docs/browser.md runs, with threads where the host isolates the page', async () => {
  const docs = await readFile(new URL('../../docs/browser.md', import.meta.url), 'utf8');
  const example = /```js\n([^]*?)```/.exec(docs)?.[1].replaceAll("'fast-segment-anything'", "'./lib/index.js'").replaceAll("'/weights/", "'./weights/");
  assert.ok(example);
  const isolated = await serve({ isolated: true }), page = await opened(isolated.address);
  await page.context().route('**/example.js', (route) => route.fulfill({ contentType: 'text/javascript', body: example }));
  await page.context().route('**/photo.jpg', async (route) => route.fulfill({ contentType: 'image/jpeg', body: await readFile(new URL('../test/photos/coffee.jpg', import.meta.url)) }));
  await page.context().route('**/example.html', (route) => route.fulfill({
    contentType: 'text/html', headers: { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' },
    body: '<!doctype html><img id="photo" src="photo.jpg"><canvas id="cutout"></canvas><pre id="out"></pre><script type="module" src="example.js"></script>',
  }));
  await page.goto(`${isolated.address}example.html`);
  await page.waitForFunction(() => document.getElementById('out')?.textContent?.includes('"bbox"'));
  const { width } = (await page.locator('#cutout').boundingBox())!;
  assert.ok(width > 10);
  const threads = await page.evaluate(() => Math.min(navigator.hardwareConcurrency, 4));
  assert.match(await page.locator('#out').textContent() ?? '', new RegExp(`, ${threads} threads`));
  await page.context().close();
  isolated.close();
});

test('the page fits a phone', async () => {
  const page = await opened();
  await page.setViewportSize({ width: 390, height: 844 });
  await upload(page);
  await shown(page);
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
  await page.context().close();
});
