// Pointer and keys on the photo.

import { showAnswer } from './drawing.js';
import { commit, takeBack } from './history.js';
import { accept, at, choose } from './objects.js';
import { place } from './place.js';
import { clear, point, refresh, step, under } from './prompts.js';
import { $ } from './say.js';
import { NOTHING, isEmpty, now } from './state.js';
import { tools } from './tools.js';
import { follow, panBy, pinch } from './zoom.js';

const DRAG = 5;  // screen pixels from which on a press is a box
const fingers = new Map();  // pointerId -> [x, y] on the screen
let panning = null, space = false;

// A second finger, or the photo is dragged: what the first one began is taken back.
function stop() {
  if (!now.press) return;
  if (now.press.tool) { now.press.tool.cancel(); now.press = null; showAnswer(); } else { takeBack(); refresh(); }
}

$('picked').addEventListener('pointerdown', (event) => {
  fingers.set(event.pointerId, [event.clientX, event.clientY]);
  $('picked').setPointerCapture(event.pointerId);
  if (fingers.size > 1) { stop(); return; }
  if (event.button === 1 || (event.button === 0 && space)) { event.preventDefault(); panning = [event.clientX, event.clientY]; return; }
  if (event.button !== 0) return;
  const where = place(event);
  now.cursor = null;
  if (now.tool !== 'point') { now.press = { tool: tools[now.tool] }; now.press.tool.down(where, event); return; }
  if (event.altKey) { pickObject(where, event.ctrlKey); return; }
  now.press = { at: where, x: event.clientX, y: event.clientY, before: { prompt: now.prompt, length: now.past.length } };
  point(where, event.shiftKey ? 0 : now.sign);  // the answer is there before the finger is up
});

// Chooses the object that is seen there; none there, none is chosen.
function pickObject(where, beside) {
  const found = at(where);
  if (found) choose(found.id, beside); else now.chosen = [];
  if (isEmpty(now.prompt)) showAnswer(); else clear();
}

$('picked').addEventListener('pointermove', (event) => {
  const was = fingers.get(event.pointerId), spot = [event.clientX, event.clientY];
  if (was) fingers.set(event.pointerId, spot);
  if (fingers.size === 2) {
    const other = [...fingers].find(([id]) => id !== event.pointerId)[1];
    pinch([was ?? spot, other], [spot, other]);
    return;
  }
  if (panning) { panBy(panning[0] - spot[0], panning[1] - spot[1]); panning = spot; return; }
  if (now.press?.tool) { now.press.tool.move(place(event)); return; }
  if (now.press && Math.hypot(event.clientX - now.press.x, event.clientY - now.press.y) > DRAG) now.press.drags = true;
  if (now.press?.drags) {
    const [a, b] = [now.press.at, place(event)];
    now.press.box = [Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[0], b[0]), Math.max(a[1], b[1])].map(Math.round);
    showAnswer();
    return;
  }
  const found = under(place(event));
  if (found !== now.hover) { now.hover = found; if (!now.answer || event.pointerType === 'mouse') showAnswer(); }
});

$('picked').addEventListener('pointerup', (event) => {
  fingers.delete(event.pointerId);
  panning = null;
  const press = now.press;
  if (!press) return;
  if (press.tool) { now.press = null; press.tool.up(place(event)); return; }
  if (!press.box) { now.press = null; return; }
  takeBack();
  if (press.box[0] >= press.box[2] || press.box[1] >= press.box[3]) { refresh(); return; }
  $('text').value = '';
  now.chosen = [];
  commit({ prompt: { ...NOTHING, box: press.box } });
});

$('picked').addEventListener('pointercancel', (event) => { fingers.delete(event.pointerId); panning = null; stop(); });
$('picked').addEventListener('pointerleave', () => { if (!now.press && now.photo) { now.hover = 0; showAnswer(); } });
$('picked').addEventListener('dblclick', (event) => {  // the object that was double-clicked: both clicks on it are undone
  if (now.tool !== 'point' || !at(place(event)) || now.prompt.object) return;
  while (!isEmpty(now.prompt) && now.past.length) Object.assign(now, now.past.pop());
  refresh();
  pickObject(place(event), false);
});

const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

$('picked').addEventListener('keydown', (event) => {
  if (event.key === ' ') { space = true; event.preventDefault(); }
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  if (event.key === 'Tab' && step(event.shiftKey ? -1 : 1)) event.preventDefault();
  else if (event.key === 'Escape') escape();
  else if (moves[event.key]) { event.preventDefault(); move(moves[event.key], event.shiftKey); }
  else if (event.key === 'Enter') enter(event.shiftKey);
});
$('picked').addEventListener('keyup', (event) => { if (event.key === ' ') space = false; });

// Clears the prompt, else what is chosen.
function escape() {
  if (!isEmpty(now.prompt)) clear();
  else { now.chosen = []; showAnswer(); }
}

function move([dx, dy], fine) {
  const far = Math.max(now.photo.width, now.photo.height) / (fine ? 200 : 40);
  const [x, y] = now.cursor ?? [now.photo.width / 2, now.photo.height / 2];
  const moved = (v, by, most) => Math.min(most - 0.5, Math.max(0.5, Math.floor(v + by * far) + 0.5));
  now.cursor = [moved(x, dx, now.photo.width), moved(y, dy, now.photo.height)];
  now.hover = under(now.cursor);
  follow(now.cursor);
  showAnswer();
}

// Sets a point where the cursor is; with no cursor, or where a point is already, accepts what answers.
function enter(negative) {
  const last = now.prompt.points.at(-1), set = now.cursor && last?.join() !== now.cursor.join();
  if (set) point(now.cursor, negative ? 0 : now.sign); else if (now.answer) accept();
}
