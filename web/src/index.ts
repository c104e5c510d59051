// The library in a browser: the networks run in a Web Worker.

import { FastSAMError } from './errors.ts';
import type { Progress } from './fetched.ts';
import { FastSAM as Model } from './model.ts';
import { Remote, type Start } from './remote.ts';

export { FastSAMError, type Trouble } from './errors.ts';
export type { Photo } from './model.ts';
export type { Polygon } from './polygons.ts';
export type { MaskLike, Prompt } from './prompt.ts';
export type { RLE } from './rle.ts';
export type { Overrides, Seconds } from './segment.ts';
export { Candidate, Pick, Segments, type Annotation, type Asked, type Coco } from './segments.ts';
export type { Settings } from './settings.ts';
export type { Box, Mask, Point, Size } from './values.ts';

export interface LoadOptions {
  // The second network, which draws answers exactly: its address or bytes. false for none. Default: the file
  // fastsam-refine beside the weights, if these are an address.
  readonly refine?: string | URL | Uint8Array | false;
  // Weights in floating point, which a graphics processor runs instead: their address or bytes. false for none.
  // Default: the file of the same name without -int8, if the weights are an address.
  readonly gpu?: string | URL | Uint8Array | false;
  readonly threads?: number; // default: as many as the page allows, at most 4; 1 where it is not cross-origin isolated
  readonly runtime?: string | URL; // folder with both workers and ONNX Runtime's files; default: where this script lies
  readonly progress?: Progress; // called with the share 0..1 of the weights that has arrived
}

export class FastSAM extends Model {
  // Loads weights from an address (.onnx or .onnx.gz) or from bytes.
  static async load(weights: string | URL | Uint8Array, options: LoadOptions = {}): Promise<FastSAM> {
    if (typeof Worker !== 'function') throw new FastSAMError('runtime', 'this browser has no workers, which the networks need: use a current browser');
    const page = typeof location === 'object' ? location.href : import.meta.url;
    const address = (from: string | URL): string => new URL(from, page).href;
    const placed = (from: string | URL | Uint8Array): string | Uint8Array => (from instanceof Uint8Array ? from : address(from));
    const first = placed(weights), named = typeof first === 'string';
    const { refine = named && first.replace(/[^/]*?(\.onnx(?:\.gz)?)(\?.*)?$/, 'fastsam-refine$1$2') } = options;
    const { gpu = named && first.replace(/-int8(\.onnx(?:\.gz)?)(\?.*)?$/, '$1$2') } = options;
    const runtime = options.runtime === undefined ? new URL('./', import.meta.url).href : address(options.runtime);
    const start = { weights: first, refiner: refine === false ? null : placed(refine), runtime, threads: options.threads ?? 0 };
    const own = options.runtime === undefined;
    if (gpu !== false && await graphics()) {
      try {
        const worker = own ? new Worker(new URL('./worker-gpu.js', import.meta.url), { type: 'module' }) : new Worker(`${runtime}worker-gpu.js`, { type: 'module' });
        return await started(worker, { ...start, weights: placed(gpu) }, options.progress);
      } catch { /* then without it */ }
    }
    const worker = own ? new Worker(new URL('./worker.js', import.meta.url), { type: 'module' }) : new Worker(`${runtime}worker.js`, { type: 'module' });
    return started(worker, start, options.progress);
  }
}

async function started(worker: Worker, start: Start, progress?: Progress): Promise<FastSAM> {
  const remote = new Remote(worker);
  try {
    return new FastSAM(remote, await remote.load(start, progress));
  } catch (error) {
    await remote.close();
    throw error;
  }
}

// Whether there is a graphics processor, and not software that plays one, in a browser whose WebAssembly can wait for it.
async function graphics(): Promise<boolean> {
  const { gpu } = navigator as { gpu?: { requestAdapter(): Promise<{ info?: { isFallbackAdapter?: boolean }; isFallbackAdapter?: boolean } | null> } };
  if (!gpu || !('Suspending' in WebAssembly)) return false;
  const adapter = await gpu.requestAdapter().catch(() => null);
  return adapter !== null && !(adapter.info?.isFallbackAdapter ?? adapter.isFallbackAdapter ?? false);
}
