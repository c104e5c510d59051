// WebGPU, played by software, which is slow: a small input.

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { launch, launchIn } from './chromium.ts';
import { serve, type Served } from './serve.ts';

let browser: Browser, host: Served;
before(async () => { browser = await launch({ gpu: true }); host = await serve({ isolated: true }); });
after(async () => { await browser.close(); host.close(); });

// A page without anything, in whose browser the software is taken for a graphics processor, or is not.
async function blank(taken: boolean, own: Browser | BrowserContext = browser): Promise<Page> {
  const page = await own.newPage();
  page.setDefaultTimeout(240_000);
  if (taken) await page.addInitScript("Object.defineProperty(GPUAdapterInfo.prototype, 'isFallbackAdapter', { get: () => false })");
  await page.route('**/blank.html', (route) => route.fulfill({ contentType: 'text/html', body: '<!doctype html>' }));
  await page.route('**/photo.jpg', async (route) => route.fulfill({ contentType: 'image/jpeg', body: await readFile(new URL('../test/photos/coffee.jpg', import.meta.url)) }));
  await page.goto(`${host.address}blank.html`);
  return page;
}

interface Found { readonly runtime: string; readonly boxes: readonly number[]; readonly how: string | null }

function found(page: Page, name: string, options: object = {}): Promise<Found> {
  return page.evaluate(async ([weights, more]) => {
    const { FastSAM } = await import(String(new URL('lib/index.js', location.href))) as typeof import('../src/index.ts');
    const model = await FastSAM.load(`weights/${weights}.onnx.gz`, more), photo = await (await fetch('photo.jpg')).blob();
    const segments = await model.segment(photo, { imgsz: 128 }), [pick] = await segments.select({ points: [[190, 80]] });
    const { runtime } = model;
    await model.close();
    return { runtime, boxes: [...segments.boxes], how: pick.how };
  }, [name, options] as const);
}

test('a graphics processor finds what the CPU finds with the same weights', async () => {
  const page = await blank(true), before = host.sent.bytes, there = await found(page, 'fastsam-tiny-int8');
  assert.equal(there.runtime, 'webgpu');
  assert.equal(there.how, 'drawn');
  assert.ok(host.sent.bytes - before < 19.5e6, `${host.sent.bytes - before} bytes over the wire`);
  const here = await found(page, 'fastsam-tiny', { gpu: false });
  assert.equal(here.runtime, 'wasm');
  assert.ok(here.boxes.length > 8 && here.boxes.length === there.boxes.length, `${here.boxes.length} ${there.boxes.length}`);
  assert.ok(here.boxes.every((value, k) => Math.abs(value - there.boxes[k]) <= 0.5));
  await page.close();
});

test('the page keeps what a graphics processor needs for use without a connection, and nothing else', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'chromium-')), own = await launchIn(folder, { gpu: true });
  const page = await blank(true, own), before = host.sent.bytes;
  await page.goto(host.address);
  const kept = await page.evaluate(async () => {
    await navigator.serviceWorker.ready;
    const [name] = await caches.keys();
    return (await (await caches.open(name)).keys()).map(({ url }) => url.split('/').slice(-2).join('/'));
  });
  assert.ok(kept.includes('weights/fastsam-tiny.onnx.gz') && kept.includes('lib/worker-gpu.js'), kept.join());
  assert.ok(!kept.includes('weights/fastsam-tiny-int8.onnx.gz') && !kept.includes('lib/worker.js'), kept.join());
  assert.ok(host.sent.bytes - before < 20e6, `${host.sent.bytes - before} bytes over the wire`);
  await own.close();
  await rm(folder, { recursive: true, force: true });
});

test('software that plays a graphics processor is slower than the CPU, and is not asked', async () => {
  const page = await blank(false);
  assert.equal((await found(page, 'fastsam-tiny-int8')).runtime, 'wasm');
  await page.close();
});

test('where the weights for it are missing, the CPU takes its own', async () => {
  const page = await blank(true);
  await page.route('**/fastsam-tiny.onnx.gz', (route) => route.fulfill({ status: 404 }));
  assert.equal((await found(page, 'fastsam-tiny-int8')).runtime, 'wasm');
  await page.close();
});
