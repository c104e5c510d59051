// An engine in a Web Worker: each call is a message there and one back.

import type { Candidate } from './answer.ts';
import type { About, Engine, Sent } from './core.ts';
import { FastSAMError, type Trouble } from './errors.ts';
import type { Progress } from './fetched.ts';
import type { Prompt } from './prompt.ts';
import type { Source } from './read.ts';
import type { Overrides } from './segment.ts';

// How a worker is started. threads: 0 for what the page allows
export interface Start {
  readonly weights: string | Uint8Array;
  readonly refiner: string | Uint8Array | null;
  readonly runtime: string; // address of the folder with ONNX Runtime's two files
  readonly threads: number;
}

export interface Calls {
  load(start: Start): Promise<About>;
  segment: Engine['segment'];
  select: Engine['select'];
  forget: Engine['forget'];
}

export type Message = { readonly number: number; readonly name: keyof Calls; readonly given: readonly unknown[] };
export type Reply =
  | { readonly number: number; readonly share: number }
  | { readonly number: number; readonly value: unknown }
  | { readonly number: number; readonly kind: Trouble; readonly message: string };

interface Waiting {
  resolve(value: unknown): void;
  reject(error: FastSAMError): void;
  progress: Progress | undefined;
}

export class Remote implements Engine {
  private readonly waiting = new Map<number, Waiting>();
  private count = 0;
  private ended: FastSAMError | null = null;

  constructor(private readonly worker: Worker) {
    worker.onmessage = ({ data }: MessageEvent<Reply>) => this.heard(data);
    worker.onerror = (event) => {
      event.preventDefault();
      this.end(new FastSAMError('runtime', `the worker failed: ${event.message || 'its script cannot be loaded'}`));
    };
  }

  load(start: Start, progress?: Progress): Promise<About> { return this.ask('load', [start], [], progress) as Promise<About>; }

  segment(source: Source, options: Overrides & { readonly refine?: boolean }): Promise<Sent> {
    const transfer = 'close' in source ? [source] : [];
    return this.ask('segment', [source, options], transfer) as Promise<Sent>;
  }

  select(id: number, prompts: readonly Prompt[], among: readonly number[] | null, refine: boolean): Promise<Candidate[][]> {
    return this.ask('select', [id, prompts, among, refine]) as Promise<Candidate[][]>;
  }

  async forget(id: number): Promise<void> { if (!this.ended) await this.ask('forget', [id]); }

  async close(): Promise<void> {
    this.worker.terminate();
    this.end(new FastSAMError('closed', 'the model was closed: load it again'));
  }

  private ask(name: keyof Calls, given: readonly unknown[], transfer: Transferable[] = [], progress?: Progress): Promise<unknown> {
    if (this.ended) return Promise.reject(this.ended);
    return new Promise((resolve, reject) => {
      const number = ++this.count;
      this.waiting.set(number, { resolve, reject, progress });
      this.worker.postMessage({ number, name, given } satisfies Message, transfer);
    });
  }

  private heard(reply: Reply): void {
    const one = this.waiting.get(reply.number);
    if (!one) return;
    if ('share' in reply) { one.progress?.(reply.share); return; }
    this.waiting.delete(reply.number);
    if ('value' in reply) one.resolve(reply.value); else one.reject(new FastSAMError(reply.kind, reply.message));
  }

  private end(error: FastSAMError): void {
    this.ended ??= error;
    for (const { reject } of this.waiting.values()) reject(error);
    this.waiting.clear();
  }
}
