// The library in a browser: the networks run in a Web Worker.

import { FastSAMError } from './errors.ts';
import type { Progress } from './fetched.ts';
import { FastSAM as Model } from './model.ts';
import { Remote } from './remote.ts';

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
  readonly threads?: number; // default: as many as the page allows, at most 4; 1 where it is not cross-origin isolated
  readonly runtime?: string | URL; // folder with worker.js and ONNX Runtime's files; default: where this script lies
  readonly progress?: Progress; // called with the share 0..1 of the weights that has arrived
}

export class FastSAM extends Model {
  // Loads weights from an address (.onnx or .onnx.gz) or from bytes.
  static async load(weights: string | URL | Uint8Array, options: LoadOptions = {}): Promise<FastSAM> {
    if (typeof Worker !== 'function') throw new FastSAMError('runtime', 'this browser has no workers, which the networks need: use a current browser');
    const page = typeof location === 'object' ? location.href : import.meta.url;
    const address = (from: string | URL): string => new URL(from, page).href;
    const first = weights instanceof Uint8Array ? weights : address(weights);
    const { refine = typeof first === 'string' ? first.replace(/[^/]*?(\.onnx(?:\.gz)?)(\?.*)?$/, 'fastsam-refine$1$2') : false } = options;
    const runtime = options.runtime === undefined ? new URL('./', import.meta.url).href : address(options.runtime);
    const remote = new Remote(options.runtime === undefined
      ? new Worker(new URL('./worker.js', import.meta.url), { type: 'module' })
      : new Worker(`${runtime}worker.js`, { type: 'module' }));
    const second = refine === false ? null : refine instanceof Uint8Array ? refine : address(refine);
    try {
      const about = await remote.load({ weights: first, refiner: second, runtime, threads: options.threads ?? 0 }, options.progress);
      return new FastSAM(remote, about);
    } catch (error) {
      await remote.close();
      throw error;
    }
  }
}
