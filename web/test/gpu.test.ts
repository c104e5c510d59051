// The first network on a graphics processor: a runtime that plays one, and computes on the CPU.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as ort from 'onnxruntime-web';
import { openOnGpu } from '../src/gpu.ts';
import type { Ort } from '../src/network.ts';
import { weights } from './photo.ts';

const bytes = await weights('fastsam-tiny-int8'), size = { width: 96, height: 64 }, grey = new Float32Array(3 * 96 * 64).fill(0.5);
ort.env.wasm.numThreads = 1;

type Outputs = Record<string, { data: Float32Array }>;

// ONNX Runtime whose graphics processor changes outputs, from a run on.
function playing(change: (found: Outputs) => void, from = 0): { ort: Ort; opened: string[] } {
  const opened: string[] = [];
  const create = async (given: Uint8Array, options?: ort.InferenceSession.SessionOptions): Promise<ort.InferenceSession> => {
    const [provider] = options?.executionProviders as string[];
    opened.push(provider);
    const own = await ort.InferenceSession.create(given, { ...options, executionProviders: ['wasm'] });
    let runs = 0;
    const run = async (feeds: ort.InferenceSession.OnnxValueMapType): Promise<unknown> => {
      const found = await own.run(feeds);
      if (provider === 'webgpu' && runs++ >= from) change(found as unknown as Outputs);
      return found;
    };
    return { inputNames: own.inputNames, outputNames: own.outputNames, run, release: () => own.release() } as unknown as ort.InferenceSession;
  };
  return { ort: { InferenceSession: { create }, Tensor: ort.Tensor } as unknown as Ort, opened };
}

const lost = (): never => { throw new Error('device lost'); };
const nothing = ({ candidates }: Outputs): void => { candidates.data.fill(NaN); };

test('a graphics processor that computes the same runs the network', async () => {
  const network = await openOnGpu(playing(() => {}).ort, bytes);
  assert.equal(network.runtime, 'webgpu');
  assert.ok((await network.run(grey, size)).candidates.length);
  await network.close();
});

test('one that gives other values, none, or fails is not used', async () => {
  for (const change of [({ prototypes }: Outputs) => { prototypes.data[7] += 1; }, nothing, lost]) {
    const network = await openOnGpu(playing(change).ort, bytes);
    assert.equal(network.runtime, 'wasm');
    assert.ok((await network.run(grey, size)).candidates.every(Number.isFinite));
    await network.close();
  }
});

test('one that fails later is left for the CPU, and the photo is still answered', async () => {
  for (const change of [nothing, lost]) {
    const own = playing(change, 1), network = await openOnGpu(own.ort, bytes);
    assert.equal(network.runtime, 'webgpu');
    assert.ok((await network.run(grey, size)).candidates.every(Number.isFinite));
    assert.equal(network.runtime, 'wasm');
    assert.deepEqual(own.opened, ['wasm', 'webgpu', 'wasm']);
    await network.close();
  }
});
