// Splits an object by a stroke across it: the pixels under the line fall to the largest part.

import { showAnswer } from './drawing.js';
import { commit } from './history.js';
import { make, redrawn, target } from './objects.js';
import { bitmap, encode, letters } from './pixels.js';
import { fail } from './say.js';
import { now } from './state.js';

let line = null, object = null;

function down(point) {
  object = target('split');
  line = object && [point];
}

function move(point) {
  if (!line) return;
  line.push(point);
  now.stroke = { line };
  showAnswer();
}

function up() {
  if (!line) return;
  const way = line, whole = object, { height } = now.photo;
  cancel();
  const parts = pieces(bitmap(whole.runs, now.photo.width, height), way, height);
  if (parts.length < 2) { fail('The stroke splits nothing: draw it across the whole object.'); showAnswer(); return; }
  const [first, ...others] = parts;
  const made = [redrawn(whole, first), ...others.map((pixels) => make(whole.name, letters(encode(pixels))))];
  commit({ objects: now.objects.flatMap((o) => (o.id === whole.id ? made : [o])), chosen: made.map((o) => o.id) });
}

// The parts of a mask on the sides of a line, the largest first, which keeps what the line never touches.
function pieces(mask, way, height) {
  const cut = new Set();
  for (let k = 1; k < way.length; k++) {
    const [[ax, ay], [bx, by]] = [way[k - 1], way[k]], steps = Math.ceil(Math.max(Math.abs(bx - ax), Math.abs(by - ay)) * 2) || 1;
    for (let s = 0; s <= steps; s++) {
      const x = Math.floor(ax + (bx - ax) * s / steps), y = Math.floor(ay + (by - ay) * s / steps);
      for (const p of [x * height + y, x * height + Math.min(height - 1, y + 1)]) if (mask[p]) cut.add(p);  // two high: no diagonal gap
    }
  }
  const left = mask.slice();
  for (const p of cut) left[p] = 0;
  const found = [];
  for (const p of cut) {
    for (const q of beside(p, height, mask.length)) {
      if (!left[q]) continue;
      const part = [], open = [q];
      left[q] = 0;
      while (open.length) {
        const at = open.pop();
        part.push(at);
        for (const next of beside(at, height, mask.length)) if (left[next]) { left[next] = 0; open.push(next); }
      }
      found.push(part);
    }
  }
  found.sort((a, b) => b.length - a.length);
  if (found.length < 2) return [];
  const others = found.slice(1).map((part) => { const made = new Uint8Array(mask.length); for (const p of part) made[p] = 1; return made; });
  const first = mask.slice();
  for (const part of found.slice(1)) for (const p of part) first[p] = 0;
  return [first, ...others];
}

const beside = (p, height, most) => [p % height ? p - 1 : -1, (p + 1) % height ? p + 1 : -1, p - height, p + height].filter((q) => q >= 0 && q < most);

function cancel() {
  line = object = now.stroke = null;
}

export const split = { down, move, up, cancel };
