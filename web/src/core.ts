// The engine: both networks and the photos that are open. It runs in a worker, or in Node in the caller's own thread.

import { answer, taken, type Candidate, type Found } from './answer.ts';
import { FastSAMError, ours, usage } from './errors.ts';
import type { Progress } from './fetched.ts';
import { openRefiner, type Network, type Ort, type Refiner, type Runtime } from './network.ts';
import { checked, type Prompt } from './prompt.ts';
import { pixelsOf, type Source } from './read.ts';
import { pyramid } from './refine/crop.ts';
import { believed } from './refine/doubt.ts';
import { draw } from './refine/draw.ts';
import { redraw } from './refine/everything.ts';
import { warm } from './refine/warm.ts';
import type { Runs } from './runs.ts';
import { segmented, type Overrides, type Seconds } from './segment.ts';
import type { Settings } from './settings.ts';
import type { Pixels, Size } from './values.ts';

export interface Packed { // the runs of N masks, one after the other; mask i is starts[i] to starts[i + 1]
  readonly columns: Int32Array;
  readonly tops: Int32Array;
  readonly bottoms: Int32Array;
  readonly starts: Int32Array;
}

// Everything in a photo, as it leaves the engine.
export interface Sent {
  readonly id: number;
  readonly size: Size;
  readonly boxes: Float32Array;
  readonly scores: Float32Array;
  readonly classes: Int32Array;
  readonly runs: Packed;
  readonly seconds: Seconds;
}

export interface About {
  readonly settings: Settings;
  readonly draws: boolean;
  readonly runtime: Runtime; // of the first network
  readonly threads: number;
}

// What the caller asks of an engine, wherever it runs.
export interface Engine {
  segment(source: Source, options: Overrides & { readonly refine?: boolean }): Promise<Sent>;
  select(id: number, prompts: readonly Prompt[], among: readonly number[] | null, refine: boolean): Promise<Candidate[][]>;
  forget(id: number): Promise<void>;
  close(): Promise<void>;
}

export interface Weights {
  network(progress: Progress): Promise<Uint8Array>;
  refiner: (() => Promise<Uint8Array>) | null;
}

// Opens the first network.
export type Open = (ort: Ort, bytes: Uint8Array) => Promise<Network>;

interface Kept {
  readonly found: Found;
  readonly photo: Pixels;
  levels: Pixels[] | null;
}

export class Core implements Engine {
  private readonly open = new Map<number, Kept>();
  private opened = 0;
  private refiner: Promise<Refiner> | null = null;

  private constructor(
    private readonly ort: Ort, private readonly network: Network,
    private readonly second: (() => Promise<Uint8Array>) | null, readonly threads: number,
  ) {}

  static async load(ort: Ort, weights: Weights, threads: number, open: Open, progress: Progress = () => {}): Promise<Core> {
    const bytes = weights.network(progress), second = weights.refiner?.();
    second?.catch(() => {}); // told when it is first needed
    const network = await open(ort, await bytes);
    return new Core(ort, network, second ? () => second : null, threads);
  }

  get about(): About {
    return { settings: this.network.settings, draws: this.second !== null, runtime: this.network.runtime, threads: this.threads };
  }

  async segment(source: Source, { refine = false, ...overrides }: Overrides & { readonly refine?: boolean }): Promise<Sent> {
    try {
      const photo = await pixelsOf(source), plain = await segmented(this.network, photo, overrides);
      const kept: Kept = { photo, found: plain.found, levels: null };
      const found = refine ? await redraw(levelsOf(kept), plain.found, await this.drawing()) : plain.found;
      const id = ++this.opened;
      this.open.set(id, { photo, found, levels: kept.levels });
      if (this.second) setTimeout(() => void this.drawing().catch(() => {})); // before the first click
      return { id, size: found.size, boxes: found.boxes, scores: found.scores, classes: found.classes, runs: packed(found.runs), seconds: plain.seconds };
    } catch (error) {
      throw ours(error, 'photo', 'the photo cannot be segmented');
    }
  }

  async select(id: number, prompts: readonly Prompt[], among: readonly number[] | null, refine: boolean): Promise<Candidate[][]> {
    const kept = this.open.get(id);
    if (!kept) throw new FastSAMError('closed', 'this result was freed: segment the photo again');
    try {
      const indices = among ?? Array.from(kept.found.scores, (_, i) => i), last = kept.found.scores.length;
      for (const i of indices) if (!(Number.isInteger(i) && i >= 0 && i < last)) throw usage(`there is no segment ${i}: there are ${last}`);
      const some = among ? taken(kept.found, indices) : kept.found, asked = prompts.map((prompt) => checked(prompt, kept.found.size));
      const answers: Candidate[][] = [];
      for (const given of asked) {
        const prompt = refine ? believed(given, kept.found.size) : given, chosen = answer(some, prompt);
        const found = refine ? await draw(levelsOf(kept), prompt, chosen, await this.drawing()) : chosen;
        answers.push(found.map((one) => inPhoto(one, indices)));
      }
      return answers;
    } catch (error) {
      throw ours(error, 'usage', 'the prompt cannot be answered');
    }
  }

  async forget(id: number): Promise<void> {
    this.open.delete(id);
  }

  async close(): Promise<void> {
    this.open.clear();
    await this.network.close();
    await (await this.refiner?.catch(() => null))?.close();
  }

  // The second network, loaded once.
  private drawing(): Promise<Refiner> {
    const { second } = this;
    if (!second) throw usage('there is no second network: load the model with the option refine');
    this.refiner ??= (async () => {
      const refiner = await openRefiner(this.ort, await second());
      await warm(refiner);
      return refiner;
    })();
    return this.refiner;
  }
}

function levelsOf(kept: Kept): Pixels[] {
  kept.levels ??= pyramid(kept.photo);
  return kept.levels;
}

// A candidate among some of the segments, with indices among all of them.
function inPhoto(one: Candidate, indices: readonly number[]): Candidate {
  const mapped = (own: readonly number[]): number[] => own.map((i) => indices[i]);
  return { ...one, index: one.index === null ? null : indices[one.index], plus: mapped(one.plus), minus: mapped(one.minus) };
}

function packed(every: readonly Runs[]): Packed {
  const starts = new Int32Array(every.length + 1);
  every.forEach((runs, i) => { starts[i + 1] = starts[i] + runs.columns.length; });
  const found = { columns: new Int32Array(starts[every.length]), tops: new Int32Array(starts[every.length]), bottoms: new Int32Array(starts[every.length]), starts };
  every.forEach((runs, i) => {
    for (const name of ['columns', 'tops', 'bottoms'] as const) found[name].set(runs[name], starts[i]);
  });
  return found;
}

export function unpackedRuns({ columns, tops, bottoms, starts }: Packed): Runs[] {
  return Array.from({ length: starts.length - 1 }, (_, i) => {
    const part = (values: Int32Array): Int32Array => values.subarray(starts[i], starts[i + 1]);
    return { columns: part(columns), tops: part(tops), bottoms: part(bottoms) };
  });
}
