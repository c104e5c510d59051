// The library in Node, for tests and servers: the networks run in the caller's own thread, photos are ImageData.

import * as ort from 'onnxruntime-web';
import { Core } from './core.ts';
import { FastSAM as Model } from './model.ts';
import { openNetwork } from './network.ts';

export * from './index.ts';

export class FastSAM extends Model {
  // weights, refine: the bytes of the two files
  static async load(weights: Uint8Array, { refine = false, threads = 1 }: { refine?: Uint8Array | false; threads?: number } = {}): Promise<FastSAM> {
    ort.env.wasm.numThreads = threads;
    ort.env.logLevel = 'error';
    const core = await Core.load(ort, { network: async () => weights, refiner: refine ? async () => refine : null }, threads, openNetwork);
    return new FastSAM(core, core.about);
  }
}
