// Where on the photo the pointer is.

import { $ } from './say.js';
import { now } from './state.js';

// The centre of the pixel under the pointer, the nearest one outside of the photo.
export function place(event) {
  const [x, y] = exact(event), round = (v, most) => Math.min(most - 0.5, Math.max(0.5, Math.floor(v) + 0.5));
  return [round(x, now.photo.width), round(y, now.photo.height)];
}

// The same, not rounded.
export function exact(event) {
  const box = $('picked').getBoundingClientRect();
  return [(event.clientX - box.left) / box.width * now.photo.width, (event.clientY - box.top) / box.height * now.photo.height];
}

// How many screen pixels a pixel of the photo has.
export const scale = () => $('picked').getBoundingClientRect().width / now.photo.width;
