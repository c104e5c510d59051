// `FastSAM`: segments everything in a photo.

import type { About, Engine } from './core.ts';
import { usage } from './errors.ts';
import type { Runtime } from './network.ts';
import type { Source } from './read.ts';
import type { Overrides } from './segment.ts';
import { Segments } from './segments.ts';
import type { Settings } from './settings.ts';

// What may be given as a photo.
export type Photo = Blob | ImageBitmap | HTMLImageElement | HTMLCanvasElement | OffscreenCanvas | ImageData;

export class FastSAM {
  constructor(private readonly engine: Engine, private readonly about: About) {}

  get settings(): Settings { return this.about.settings; }
  get threads(): number { return this.about.threads; }
  get runtime(): Runtime { return this.about.runtime; } // of the first network: on a graphics processor, or not
  get draws(): boolean { return this.about.draws; }

  // Finds every object in a photo. Settings left out are the weights' own; refine draws every mask anew.
  async segment(photo: Photo, options: Overrides & { readonly refine?: boolean } = {}): Promise<Segments> {
    const sent = await this.engine.segment(await sourceOf(photo), options);
    return new Segments(sent, this.engine, this.settings.names, this.draws);
  }

  // Ends the worker; results can no longer be asked.
  async close(): Promise<void> { await this.engine.close(); }
}

async function sourceOf(photo: Photo): Promise<Source> {
  const is = (name: string): boolean => Object.prototype.toString.call(photo) === `[object ${name}]`;
  if (is('Blob') || is('File')) return photo as Blob;
  if (typeof photo === 'object' && photo !== null && 'data' in photo) {
    return { width: photo.width, height: photo.height, channels: 4, data: photo.data as Uint8ClampedArray };
  }
  if (['ImageBitmap', 'HTMLImageElement', 'HTMLCanvasElement', 'OffscreenCanvas'].some(is)) {
    try {
      return await createImageBitmap(photo as ImageBitmap, { colorSpaceConversion: 'none' });
    } catch {
      throw usage('the picture is empty or closed: wait until it is loaded');
    }
  }
  throw usage('a photo must be a Blob, an ImageBitmap, an image or canvas element, or ImageData');
}
