// The worker's side: sets up ONNX Runtime and the engine, and answers messages one after the other.

import type { Env } from 'onnxruntime-common';
import { Core, type Open } from './core.ts';
import { FastSAMError, ours } from './errors.ts';
import { fetched } from './fetched.ts';
import type { Ort } from './network.ts';
import type { Message, Reply, Start } from './remote.ts';

const MOST_THREADS = 4; // more gain little, and a phone has few fast cores
const self = globalThis as unknown as DedicatedWorkerGlobalScope;

// ONNX Runtime in one of its builds. file: name of its program; open: how the first network is opened
export interface Build {
  readonly ort: Ort & { readonly env: Env };
  readonly file: string;
  readonly open: Open;
}

async function load({ ort, file, open }: Build, { weights, refiner, runtime, threads }: Start, progress: (share: number) => void): Promise<Core> {
  if (typeof WebAssembly !== 'object') {
    throw new FastSAMError('runtime', 'this browser has no WebAssembly, which the networks need: use a current browser');
  }
  const most = self.crossOriginIsolated ? Math.min(navigator.hardwareConcurrency || 1, MOST_THREADS) : 1;
  const used = threads > 0 ? Math.min(threads, most) : most;
  const bytes = (from: string | Uint8Array, told?: (share: number) => void): Promise<Uint8Array> =>
    typeof from === 'string' ? fetched(from, told) : Promise.resolve(from);
  const network = bytes(weights, progress), second = refiner === null ? null : bytes(refiner);
  for (const download of [network, second]) download?.catch(() => {}); // told where it is awaited
  Object.assign(ort.env, { logLevel: 'error' });
  Object.assign(ort.env.wasm, {
    numThreads: used,
    wasmPaths: { mjs: `${runtime}${file}.mjs` },
    wasmBinary: await fetched(`${runtime}${file}.wasm.gz`),
  });
  const own = { network: () => network, refiner: second && (() => second) };
  return Core.load(ort, own, used, open).catch((error: unknown) => {
    throw ours(error, 'runtime', 'the networks cannot be started in this browser');
  });
}

export function answering(build: Build): void {
  let core: Promise<Core> | null = null, turn: Promise<void> = Promise.resolve();
  const answered = async ({ number, name, given }: Message): Promise<unknown> => {
    if (name === 'load') {
      core = load(build, given[0] as Start, (share) => self.postMessage({ number, share } satisfies Reply));
      return (await core).about;
    }
    if (!core) throw new FastSAMError('closed', 'nothing is loaded');
    const call = (await core)[name] as (...all: unknown[]) => Promise<unknown>;
    return call.apply(await core, [...given]);
  };
  self.onmessage = ({ data }: MessageEvent<Message>) => {
    turn = turn.then(async () => {
      let reply: Reply;
      try {
        reply = { number: data.number, value: await answered(data) };
      } catch (error) {
        const { kind, message } = ours(error, 'runtime', 'the worker failed');
        reply = { number: data.number, kind, message };
      }
      self.postMessage(reply);
    });
  };
}
