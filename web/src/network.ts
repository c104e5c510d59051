// The two networks in ONNX Runtime: bytes of weights in, raw outputs out.

import type { InferenceSession, Tensor } from 'onnxruntime-common';
import { FastSAMError, ours } from './errors.ts';
import type { Maps } from './refine/maps.ts';
import { readLines, readSettings, type Lines, type Settings } from './settings.ts';
import type { Pixels, Size } from './values.ts';

// The part of onnxruntime-web that is used.
export interface Ort {
  readonly InferenceSession: { create(bytes: Uint8Array, options?: InferenceSession.SessionOptions): Promise<InferenceSession> };
  readonly Tensor: new (type: 'float32' | 'uint8', data: Float32Array | Uint8Array, dims: readonly number[]) => Tensor;
}

// candidates: (rows, anchors); prototypes: (maps, h, w)
export interface Raw {
  readonly candidates: Float32Array;
  readonly rows: number;
  readonly prototypes: Float32Array;
  readonly maps: number;
  readonly w: number;
  readonly h: number;
}

export type Runtime = 'wasm' | 'webgpu';

export interface Network {
  readonly settings: Settings;
  readonly runtime: Runtime; // where it runs
  run(images: Float32Array, size: Size): Promise<Raw>;
  close(): Promise<void>;
}

// What one crop gives: the logits (n, n) that answer a prompt which means one thing, and their predicted IoU.
export interface Drawn {
  readonly logits: Float32Array;
  readonly quality: number;
}

export interface Refiner {
  readonly lines: Lines;
  run(crops: readonly Pixels[], maps: readonly Maps[]): Promise<Drawn[]>; // crops: RGB
  close(): Promise<void>;
}

const AT_ONCE = 16; // crops per run
const UNKNOWN = -20; // logit that replaces one that is not finite
const NOT_OURS = 'these weights are not a network that `fastsam export` wrote';

// ONNX Runtime does one thing at a time: beside a graphics processor it waits, and must not be called again meanwhile.
let last: Promise<unknown> = Promise.resolve();

function inTurn<T>(call: () => Promise<T>): Promise<T> {
  const own = last.then(call);
  last = own.catch(() => {});
  return own;
}

async function session(ort: Ort, bytes: Uint8Array, inputs: string, outputs: string, provider: Runtime): Promise<InferenceSession> {
  let made: InferenceSession;
  try {
    made = await inTurn(() => ort.InferenceSession.create(bytes, { executionProviders: [provider], logSeverityLevel: 3 }));
  } catch (error) {
    throw ours(error, 'weights', 'the weights cannot be loaded');
  }
  if ([...made.inputNames].sort().join() !== inputs || [...made.outputNames].sort().join() !== outputs) {
    throw new FastSAMError('weights', `${NOT_OURS}: its inputs are ${made.inputNames}, its outputs ${made.outputNames}`);
  }
  return made;
}

export async function openNetwork(ort: Ort, bytes: Uint8Array, runtime: Runtime = 'wasm'): Promise<Network> {
  const settings = readSettings(bytes), own = await session(ort, bytes, 'images', 'candidates,prototypes', runtime);
  return {
    settings,
    runtime,
    async run(images, { width, height }) {
      try {
        const feeds = { images: new ort.Tensor('float32', images, [1, 3, height, width]) }, found = await inTurn(() => own.run(feeds));
        const { candidates, prototypes } = found, [, maps, h, w] = prototypes.dims;
        const values = prototypes.data as Float32Array;
        if (values.some((value) => !Number.isFinite(value))) values.forEach((value, k) => { if (!Number.isFinite(value)) values[k] = 0; });
        return { candidates: candidates.data as Float32Array, rows: candidates.dims[1], prototypes: values, maps, w, h };
      } catch (error) {
        throw ours(error, 'weights', 'the network failed');
      }
    },
    close: () => inTurn(() => own.release()),
  };
}

export async function openRefiner(ort: Ort, bytes: Uint8Array): Promise<Refiner> {
  const lines = readLines(bytes), own = await session(ort, bytes, 'images,maps', 'masks,quality', 'wasm');
  const some = async (crops: readonly Pixels[], maps: readonly Maps[]): Promise<Drawn[]> => {
    const n = crops.length, size = crops[0].width, side = maps[0].side;
    const images = new Uint8Array(n * size * size * 3), said = new Float32Array(n * 4 * side * side);
    crops.forEach(({ data }, k) => images.set(data, k * data.length));
    maps.forEach(({ data }, k) => said.set(data, k * data.length));
    try {
      const feeds = { images: new ort.Tensor('uint8', images, [n, size, size, 3]), maps: new ort.Tensor('float32', said, [n, 4, side, side]) };
      const { masks, quality } = await inTurn(() => own.run(feeds)), kinds = masks.dims[1];
      return crops.map((_, k) => drawnOf(masks.data as Float32Array, quality.data as Float32Array, k * kinds, side * side));
    } catch (error) {
      throw ours(error, 'weights', 'the second network failed');
    }
  };
  return {
    lines,
    async run(crops, maps) {
      const found = new Array<Drawn>(crops.length);
      for (const size of new Set(crops.map((crop) => crop.width))) {
        const alike = crops.flatMap((crop, k) => (crop.width === size ? [k] : []));
        for (let start = 0; start < alike.length; start += AT_ONCE) {
          const now = alike.slice(start, start + AT_ONCE);
          (await some(now.map((k) => crops[k]), now.map((k) => maps[k]))).forEach((drawn, at) => { found[now[at]] = drawn; });
        }
      }
      return found;
    },
    close: () => inTurn(() => own.release()),
  };
}

function drawnOf(masks: Float32Array, qualities: Float32Array, at: number, area: number): Drawn {
  const logits = masks.slice(at * area, (at + 1) * area), quality = qualities[at];
  if (logits.every(Number.isFinite) && Number.isFinite(quality)) return { logits, quality: Math.min(Math.max(quality, 0), 1) };
  return { logits: logits.map((logit) => (Number.isFinite(logit) ? logit : UNKNOWN)), quality: 0 };
}
