// Brush and eraser: discs along the pointer's way, in photo pixels.

import { showAnswer } from './drawing.js';
import { commit } from './history.js';
import { kindName, learn, make, redrawn, target } from './objects.js';
import { bitmap, encode, letters } from './pixels.js';
import { $ } from './say.js';
import { now } from './state.js';

let work = null;  // { object: null if a new one begins, pixels, value, last }

const radius = () => +$('size').value / 2;

// Sets every pixel whose centre is within the radius of the line from a to b.
function paint(pixels, [ax, ay], [bx, by], value) {
  const { width, height } = now.photo, r = Math.max(0.5, radius()), long = (bx - ax) ** 2 + (by - ay) ** 2;
  const [x0, x1] = [Math.min(ax, bx) - r, Math.max(ax, bx) + r], [y0, y1] = [Math.min(ay, by) - r, Math.max(ay, by) + r];
  for (let x = Math.max(0, Math.floor(x0)); x <= Math.min(width - 1, x1); x++) {
    for (let y = Math.max(0, Math.floor(y0)); y <= Math.min(height - 1, y1); y++) {
      const px = x + 0.5, py = y + 0.5;
      const t = long ? Math.max(0, Math.min(1, ((px - ax) * (bx - ax) + (py - ay) * (by - ay)) / long)) : 0;
      if (Math.hypot(px - ax - t * (bx - ax), py - ay - t * (by - ay)) <= r) pixels[x * height + y] = value;
    }
  }
}

function begin(value, point) {
  const { width, height } = now.photo;
  const object = value && !now.chosen.length ? null : target(value ? 'add to' : 'take from');
  if (object === null && !(value && !now.chosen.length)) return;
  work = { object, pixels: object ? bitmap(object.runs, width, height) : new Uint8Array(width * height), value, last: point };
  extend(point);
}

function extend(point) {
  if (!work) return;
  paint(work.pixels, work.last, point, work.value);
  work.last = point;
  now.stroke = { pixels: work.pixels };
  showAnswer();
}

function end() {
  if (!work) return;
  const { object, pixels } = work;
  cancel();
  if (object) {
    const made = redrawn(object, pixels);
    commit({ objects: now.objects.flatMap((o) => (o.id !== object.id ? [o] : made ?? [])), chosen: made ? now.chosen : [] });
    return;
  }
  const name = kindName();
  learn(name);
  const made = make(name, letters(encode(pixels)));
  commit({ objects: [...now.objects, made], chosen: [made.id] });
}

function cancel() {
  work = null;
  now.stroke = null;
}

export const brush = { down: (point) => begin(1, point), move: extend, up: end, cancel };
export const eraser = { down: (point) => begin(0, point), move: extend, up: end, cancel };
