// Corners of an object's outline to drag, to add on an edge, and to take away. Only what lies between the outline before
// and after is changed, so that the rest of the mask stays as it is to the pixel.

import { showAnswer } from './drawing.js';
import { commit } from './history.js';
import { redrawn, target } from './objects.js';
import { bitmap } from './pixels.js';
import { scale } from './place.js';
import { now } from './state.js';

const NEAR = 12;  // screen pixels within which a corner is taken hold of
let known = { object: null, rings: [] };  // corners that were set by hand stay where they are until the mask is another one
let held = null;  // { object, ring, at: the corner's place in `from`, from, moved: the ring after }

// Rings of an object: corners [x, y] on pixels' borders, simplified.
export function ringsOf(object) {
  if (known.object !== object) known = { object, rings: trace(bitmap(object.runs, now.photo.width, now.photo.height), now.photo.height) };
  return held?.object === object ? known.rings.map((ring) => (ring === held.ring ? held.moved : ring)) : known.rings;
}

// Walks along the borders of a mask with the mask on the right; every border is walked once.
function trace(mask, height) {
  const width = mask.length / height, inside = (x, y) => x >= 0 && y >= 0 && x < width && y < height && mask[x * height + y];
  const seen = new Uint8Array(mask.length), rings = [];
  for (let p = 0; p < mask.length; p++) {
    const x0 = Math.floor(p / height), y0 = p % height;
    if (!mask[p] || inside(x0, y0 - 1) || seen[p]) continue;
    const ring = [];
    let x = x0, y = y0, dx = 1, dy = 0;
    do {
      if (dx === 1) seen[x * height + y] = 1;
      ring.push([x, y]);
      x += dx; y += dy;
      const ahead = [dx > 0 ? x : dx < 0 ? x - 1 : dy > 0 ? x - 1 : x, dy > 0 ? y : dy < 0 ? y - 1 : dx > 0 ? y : y - 1];  // right of the way on
      const left = [ahead[0] + dy, ahead[1] - dx];
      if (!inside(...ahead)) [dx, dy] = [-dy, dx];
      else if (inside(...left)) [dx, dy] = [dy, -dx];
    } while (x !== x0 || y !== y0 || dx !== 1);
    rings.push(simple(ring, 1.5));
  }
  return rings.filter((ring) => ring.length > 2);
}

// Douglas and Peucker on a ring.
function simple(ring, tolerance) {
  const far = ring.reduce((best, [x, y], k) => (Math.hypot(x - ring[0][0], y - ring[0][1]) > Math.hypot(ring[best][0] - ring[0][0], ring[best][1] - ring[0][1]) ? k : best), 0);
  const keep = new Set([0, far]), open = [[0, far], [far, ring.length]];
  while (open.length) {
    const [a, b] = open.pop(), [ax, ay] = ring[a], [bx, by] = ring[b % ring.length], long = Math.hypot(bx - ax, by - ay) || 1;
    let at = -1, most = tolerance;
    for (let k = a + 1; k < b; k++) {
      const d = Math.abs((ring[k][0] - ax) * (by - ay) - (ring[k][1] - ay) * (bx - ax)) / long;
      if (d > most) { most = d; at = k; }
    }
    if (at > 0) { keep.add(at); open.push([a, at], [at, b]); }
  }
  return [...keep].sort((a, b) => a - b).map((k) => ring[k]);
}

// Takes hold of the corner that is near; of a new one where only an edge is near; with Shift takes the corner away.
function down(point, event) {
  const object = target('reshape');
  if (!object) return;
  held = nearest(object, point, (ring, at) => [ring[at], { object, ring, at, from: ring, moved: ring }]);
  if (event.shiftKey) {
    if (held) { held.moved = held.ring.filter((_, k) => k !== held.at); held.gone = true; showAnswer(); }
    return;
  }
  held ??= nearest(object, point, (ring, at) => {
    const place = onto(point, ring[at], ring[(at + 1) % ring.length]);
    return [place, { object, ring, at: at + 1, from: [...ring.slice(0, at + 1), place, ...ring.slice(at + 1)], moved: ring }];
  });
}

// What `choose(ring, at)` -> [place, found] finds nearest to a point, null if nothing is near.
function nearest(object, [x, y], choose) {
  let near = NEAR / scale(), best = null;
  for (const ring of ringsOf(object)) {
    ring.forEach((_, at) => {
      const [place, found] = choose(ring, at), d = Math.hypot(place[0] - x, place[1] - y);
      if (d < near) { near = d; best = found; }
    });
  }
  return best;
}

// The place on the line from a to b that is nearest to a point.
function onto([x, y], [ax, ay], [bx, by]) {
  const t = Math.max(0, Math.min(1, ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / ((bx - ax) ** 2 + (by - ay) ** 2 || 1)));
  return [ax + t * (bx - ax), ay + t * (by - ay)];
}

function move([x, y]) {
  if (!held || held.gone) return;
  held.moved = held.from.map((corner, k) => (k === held.at ? [x, y] : corner));
  showAnswer();
}

function up() {
  if (!held) return;
  const { object, ring, moved } = held, { width, height } = now.photo;
  held = null;
  if (moved === ring) return;
  const before = filled(ring, width, height), after = filled(moved, width, height), pixels = bitmap(object.runs, width, height);
  const hole = turned(ring) < 0;
  for (let p = 0; p < pixels.length; p++) if (before[p] !== after[p]) pixels[p] = hole ? 1 - after[p] : after[p];
  const made = redrawn(object, pixels);
  known = { object: made, rings: known.rings.map((one) => (one === ring ? moved : one)).filter((one) => one.length > 2) };
  commit({ objects: now.objects.flatMap((o) => (o.id !== object.id ? [o] : made ?? [])), chosen: made ? now.chosen : [] });
}

// Twice the area that a ring encloses, negative about a hole.
const turned = (ring) => ring.reduce((sum, [x, y], k) => { const [a, b] = ring[(k + 1) % ring.length]; return sum + x * b - a * y; }, 0);

// The pixels whose centres lie in a ring (even-odd).
function filled(ring, width, height) {
  const found = new Uint8Array(width * height);
  if (ring.length < 3) return found;
  const [x0, x1] = [Math.min(...ring.map((c) => c[0])), Math.max(...ring.map((c) => c[0]))];
  for (let x = Math.max(0, Math.floor(x0)); x <= Math.min(width - 1, x1); x++) {
    const crossed = [];
    ring.forEach(([ax, ay], k) => {
      const [bx, by] = ring[(k + 1) % ring.length];
      if ((ax <= x + 0.5) !== (bx <= x + 0.5)) crossed.push(ay + (x + 0.5 - ax) / (bx - ax) * (by - ay));
    });
    crossed.sort((a, b) => a - b);
    for (let k = 0; k + 1 < crossed.length; k += 2) found.fill(1, x * height + Math.max(0, Math.ceil(crossed[k] - 0.5)), x * height + Math.max(0, Math.min(height, Math.ceil(crossed[k + 1] - 0.5))));
  }
  return found;
}

export const corners = { down, move, up, cancel: () => { held = null; } };
