// `npm run bench`: figures in Chromium, on the built folder with the isolation headers, WebAssembly, two threads (or as
// many as THREADS says).
//
// The machine's other work is in the elapsed times. Processor times of the browser stand beside them: take those of one
// thread, since a thread that waits for another one spins.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { launch } from './chromium.ts';
import { serve } from './serve.ts';

const PHOTOS = 0, CLICKS = 80, THREADS = Number(process.env.THREADS ?? 2), TICKS = 100; // a second, in /proc

interface Figures { load: number; threads: number; first: number; further: number[]; network: number[] }

const median = (values: number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1];

// Processor seconds and resident megabytes of all processes of a kind below this one.
function used(): { seconds: number; megabytes: number } {
  const rows = execFileSync('ps', ['-eo', 'pid=,ppid=,rss=,args='], { encoding: 'utf8' }).trim().split('\n')
    .map((row) => /(\d+)\s+(\d+)\s+(\d+)\s+(.*)/.exec(row)!.slice(1));
  const own = new Set([String(process.pid)]);
  for (let size = 0; size !== own.size;) {
    size = own.size;
    for (const [pid, parent] of rows) if (own.has(parent)) own.add(pid);
  }
  const found = rows.filter(([pid, , , args]) => own.has(pid) && args.includes('--type=renderer'));
  const seconds = found.reduce((sum, [pid]) => sum + ticks(pid), 0) / TICKS;
  return { seconds, megabytes: found.reduce((sum, row) => sum + Number(row[2]), 0) / 1024 };
}

function ticks(pid: string): number {
  const facts = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /, '').split(' ');
  return Number(facts[11]) + Number(facts[12]); // in user mode and in the kernel
}

const host = await serve({ isolated: true }), browser = await launch(), page = await browser.newPage();
await page.addInitScript('globalThis.__name = (own) => own;'); // tsx names functions with it
await page.route('**/bench.html', (route) => route.fulfill({
  contentType: 'text/html', body: '<!doctype html>', headers: { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' },
}));
await page.route('**/photo.jpg', async (route) => route.fulfill({ contentType: 'image/jpeg', body: await readFile(new URL('../../src/fastsam/serve/page/coffee.jpg', import.meta.url)) }));
await page.goto(`${host.address}bench.html`);
page.setDefaultTimeout(3_600_000);

const timed = await page.evaluate(async (threads): Promise<Figures> => {
  const { FastSAM } = await import(String(new URL('lib/index.js', location.href))) as typeof import('../src/index.ts');
  const clock = async <T>(call: () => Promise<T>): Promise<[T, number]> => {
    const start = performance.now();
    return [await call(), performance.now() - start];
  };
  const photo = await (await fetch('photo.jpg')).blob();
  const [model, load] = await clock(() => FastSAM.load('weights/fastsam-tiny-int8.onnx.gz', { threads }));
  const [one, first] = await clock(() => model.segment(photo));
  await one.select({ points: [[300, 150]] }); // the second network is loaded
  const further: number[] = [], network: number[] = [];
  for (let k = 0; k < 10; k++) {
    const [next, time] = await clock(() => model.segment(photo));
    further.push(time);
    network.push(1000 * next.seconds.network);
    await next.free();
  }
  Object.assign(globalThis, { model, photo, one });
  return { load, threads: model.threads, first, further, network };
}, THREADS);

const resting = used().seconds, clicks = await page.evaluate(async (count): Promise<number[]> => {
  const { one } = globalThis as unknown as { one: { select(asked: { points: [number, number][] }): Promise<unknown> } }, times: number[] = [];
  for (let k = 0; k < count; k++) {
    const start = performance.now();
    await one.select({ points: [[60 + 24 * (k % 20), 100 + 10 * (k % 20)]] });
    times.push(performance.now() - start);
  }
  return times;
}, CLICKS);
const before = used(), memory: number[] = [];
for (let k = 0; k < PHOTOS; k++) {
  await page.evaluate(async () => {
    const { model, photo } = globalThis as unknown as { model: { segment(photo: Blob): Promise<{ free(): Promise<void> }> }; photo: Blob };
    await (await model.segment(photo)).free();
  });
  if (k % 10 === 9) memory.push(used().megabytes);
}
const seconds = (used().seconds - before.seconds) / PHOTOS;

const rows: [string, string][] = [
  ['threads', String(timed.threads)],
  ['over the wire, in all', `${(host.sent.bytes / 1e6).toFixed(1)} MB`],
  ['load', `${Math.round(timed.load)} ms`],
  ['first photo after it (600 x 400, input 640)', `${Math.round(timed.first)} ms`],
  ['a further photo, median', `${Math.round(median(timed.further))} ms (fastest ${Math.round(Math.min(...timed.further))}), of which the network ${Math.round(median(timed.network))}`],
  ['processor seconds a photo', `${seconds.toFixed(2)} s`],
  ['a click, drawn, median', `${Math.round(median(clicks))} ms (fastest ${Math.round(Math.min(...clicks))})`],
  ['processor seconds a click', `${((before.seconds - resting) / CLICKS).toFixed(3)} s`],
  [`memory of the page over ${PHOTOS} photos`, `${memory.map((value) => Math.round(value)).join(', ')} MB`],
];
process.stdout.write(`${browser.version()} on ${cpus()[0].model}, ${cpus().length} cores\n\n| what | |\n|---|---|\n${rows.map((row) => `| ${row.join(' | ')} |`).join('\n')}\n`);
await browser.close();
host.close();
