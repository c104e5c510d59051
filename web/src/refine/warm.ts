// Work ahead of the first click, so that it takes as long as any other: browsers compile what has run before.

import type { Candidate } from '../answer.ts';
import type { Drawn, Refiner } from '../network.ts';
import { checked } from '../prompt.ts';
import { runsOf } from '../runs.ts';
import type { Pixels, Size } from '../values.ts';
import { pyramid, SIZES } from './crop.ts';
import { draw } from './draw.ts';
import * as m from './maps.ts';

const CLICKS = 16; // after as many the code around the network is as fast as it gets
const PHOTO: Size = { width: 640, height: 480 };

// The network sees a crop of every size; the code around it answers clicks on a grey photo, without the network.
export async function warm(refiner: Refiner): Promise<void> {
  for (const size of SIZES) await refiner.run([grey({ width: size, height: size }, 3)], [m.empty(size)]);
  const still: Refiner = { ...refiner, run: async (crops, maps) => crops.map((_, k) => disk(maps[k].side)) };
  const levels = pyramid(grey(PHOTO, 4)), found = candidate(), { width, height } = PHOTO;
  for (let k = 0; k < CLICKS; k++) {
    const click = checked({ points: [[width / 2 + 4 * k, height / 2 - 3 * k]] }, PHOTO);
    await draw(levels, click, [found], still);
  }
}

function grey({ width, height }: Size, channels: 3 | 4): Pixels {
  return { width, height, channels, data: new Uint8ClampedArray(width * height * channels).fill(127) };
}

// What the network might draw: a disk in the middle of the crop.
function disk(side: number): Drawn {
  const place = (at: number): number => (at + 0.5) / side - 0.5;
  const logits = Float32Array.from({ length: side * side }, (_, at) => 20 * (0.3 - Math.hypot(place(at % side), place(Math.floor(at / side)))));
  return { logits, quality: 0.8 };
}

// What the first network might find: a rectangle in the middle of the photo.
function candidate(): Candidate {
  const { width, height } = PHOTO, data = new Uint8Array(width * height);
  for (let y = height / 4; y < 3 * height / 4; y++) data.fill(1, y * width + width / 4, y * width + 3 * width / 4);
  return { how: 'mask', plus: [0], minus: [], index: 0, score: 0.5, quality: null, runs: runsOf({ ...PHOTO, data }) };
}
