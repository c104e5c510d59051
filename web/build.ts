// Builds dist/: the library (lib), the weights, and the page as a folder for any static host.

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const HERE = fileURLToPath(new URL('./', import.meta.url)), DIST = join(HERE, 'dist');
const PYTHON = join(HERE, '../src/fastsam'), PAGE = join(PYTHON, 'serve/page'), WEIGHTS = join(PYTHON, 'weights/bundled');
const RUNTIME = join(HERE, 'node_modules/onnxruntime-web/dist');
const POLICY = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self' blob:; img-src 'self' blob: data:; connect-src 'self' blob:; object-src 'none'; base-uri 'none'";
const common = { bundle: true, format: 'esm', target: 'es2022', minify: true, legalComments: 'eof', logLevel: 'warning' } as const;

const bundle = (from: string, to: string, more: object = {}): Promise<unknown> =>
  build({ ...common, entryPoints: [join(HERE, 'src', from)], outfile: join(DIST, to), ...more });
const packed = async (from: string, to: string): Promise<void> => writeFile(join(DIST, to), gzipSync(await readFile(from), { level: 9 }));

async function library(): Promise<void> {
  await bundle('index.ts', 'lib/index.js');
  for (const name of ['worker', 'worker-gpu']) await bundle(`${name}.ts`, `lib/${name}.js`, { conditions: ['onnxruntime-web-use-extern-wasm'] });
  await bundle('node.ts', 'lib/node.js', { external: ['onnxruntime-web'] });
  for (const name of ['ort-wasm-simd-threaded', 'ort-wasm-simd-threaded.jspi']) {
    await cp(join(RUNTIME, `${name}.mjs`), join(DIST, `lib/${name}.mjs`));
    await packed(join(RUNTIME, `${name}.wasm`), `lib/${name}.wasm.gz`);
  }
  for (const name of ['fastsam-tiny-int8', 'fastsam-tiny', 'fastsam-refine']) await packed(join(WEIGHTS, `${name}.onnx`), `weights/${name}.onnx.gz`);
  const types = ['--declaration', '--emitDeclarationOnly', '--noEmit', 'false', '--rootDir', 'src', '--outDir', 'dist/lib/types'];
  execFileSync(process.execPath, [join(HERE, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json', ...types], { cwd: HERE, stdio: 'inherit' });
}

// The server's page, with paths that hold in any folder, and with the other engine.
async function page(): Promise<void> {
  const html = await readFile(join(PAGE, 'index.html'), 'utf8');
  const head = `<meta http-equiv="Content-Security-Policy" content="${POLICY}">\n  <script type="module" src="page/offline.js"></script>\n</head>`;
  const theirs = 'They stay in this browser and, in memory, on the machine that runs this page.';
  if (!html.includes(theirs)) throw new Error('serve/page/index.html no longer says where photos stay');
  await cp(PAGE, join(DIST, 'page'), { recursive: true, filter: (from) => !from.endsWith('index.html') && !from.endsWith('server.js') });
  await writeFile(join(DIST, 'index.html'), html.replaceAll('"/page/', '"page/').replace(theirs, 'They never leave this browser.').replace('</head>', head));
  const engine = await readFile(join(DIST, 'page/engine.js'), 'utf8');
  if (!engine.includes('./engine/server.js')) throw new Error('serve/page/engine.js no longer names the engine that this build replaces');
  await writeFile(join(DIST, 'page/engine.js'), engine.replace('./engine/server.js', './engine/local.js'));
  await bundle('page/local.ts', 'page/engine/local.js');
  await bundle('page/offline.ts', 'page/offline.js', { plugins: [{
    name: 'one engine for the page and for this script',
    setup: (own: { onResolve(options: object, found: () => object): void }) => own.onResolve({ filter: /local\.ts$/ }, () => ({ path: './engine/local.js', external: true })),
  }] });
}

// What only a visitor without a graphics processor needs, or only one with it.
const CPU = ['lib/worker.js', 'lib/ort-wasm-simd-threaded.mjs', 'lib/ort-wasm-simd-threaded.wasm.gz', 'weights/fastsam-tiny-int8.onnx.gz'];
const GPU = ['lib/worker-gpu.js', 'lib/ort-wasm-simd-threaded.jspi.mjs', 'lib/ort-wasm-simd-threaded.jspi.wasm.gz', 'weights/fastsam-tiny.onnx.gz'];

// The files that the service worker keeps, and their version.
async function offline(): Promise<void> {
  const entries = await readdir(DIST, { recursive: true, withFileTypes: true }), hash = createHash('sha256');
  const files = entries.filter((e) => e.isFile()).map((e) => relative(DIST, join(e.parentPath, e.name)))
    .filter((file) => !/\.d\.ts$|lib\/(index|node)\.js$/.test(file)).sort();
  for (const file of files) hash.update(file).update(await readFile(join(DIST, file)));
  for (const file of [...CPU, ...GPU]) if (!files.includes(file)) throw new Error(`${file} is not built`);
  const all = files.filter((file) => !CPU.includes(file) && !GPU.includes(file)), version = hash.digest('hex').slice(0, 12);
  const define = { VERSION: JSON.stringify(version), FILES: JSON.stringify(all), CPU: JSON.stringify(CPU), GPU: JSON.stringify(GPU) };
  await bundle('page/sw.ts', 'sw.js', { format: 'iife', define });
}

await rm(DIST, { recursive: true, force: true });
await mkdir(join(DIST, 'weights'), { recursive: true });
await library();
await page();
await offline();
