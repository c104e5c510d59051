// Pointer and keys on the photo.

import { showAnswer } from './drawing.js';
import { commit, takeBack, travel } from './history.js';
import { clear, point, refresh, step, under } from './prompts.js';
import { $ } from './say.js';
import { NOTHING, isEmpty, now } from './state.js';

const DRAG = 5;  // screen pixels from which on a press is a box

function place(event) {
  const box = $('picked').getBoundingClientRect(), round = (v, most) => Math.min(most - 0.5, Math.max(0.5, Math.floor(v) + 0.5));
  return [round((event.clientX - box.left) / box.width * now.photo.width, now.photo.width), round((event.clientY - box.top) / box.height * now.photo.height, now.photo.height)];
}


$('picked').addEventListener('pointerdown', (event) => {
  if (event.button !== 0 || !event.isPrimary) return;
  const at = place(event);
  now.press = { at, x: event.clientX, y: event.clientY, before: { prompt: now.prompt, length: now.past.length } };
  now.cursor = null;
  $('picked').setPointerCapture(event.pointerId);
  point(at, event.shiftKey ? 0 : now.sign);  // the answer is there before the finger is up
});

$('picked').addEventListener('pointermove', (event) => {
  if (!event.isPrimary) return;
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

$('picked').addEventListener('pointerup', () => {
  const box = now.press?.box;
  if (!box) { now.press = null; return; }
  takeBack();
  if (box[0] >= box[2] || box[1] >= box[3]) { refresh(); return; }
  $('text').value = '';
  commit({ prompt: { ...NOTHING, box } });
});

$('picked').addEventListener('pointercancel', () => { if (now.press) { takeBack(); refresh(); } });  // two fingers enlarge the page
$('picked').addEventListener('pointerleave', () => { if (!now.press) { now.hover = 0; showAnswer(); } });

$('picked').addEventListener('keydown', (event) => {
  const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  if (event.key === 'Tab' && !event.ctrlKey && step(event.shiftKey ? -1 : 1)) event.preventDefault();
  else if (event.key === 'Escape' && !isEmpty(now.prompt)) clear();
  else if (moves[event.key]) {
    event.preventDefault();
    const far = Math.max(now.photo.width, now.photo.height) / (event.shiftKey ? 200 : 40);
    const [x, y] = now.cursor ?? [now.photo.width / 2, now.photo.height / 2];
    const move = (v, by, most) => Math.min(most - 0.5, Math.max(0.5, Math.floor(v + by * far) + 0.5));
    now.cursor = [move(x, moves[event.key][0], now.photo.width), move(y, moves[event.key][1], now.photo.height)];
    now.hover = under(now.cursor);
    showAnswer();
  } else if (event.key === 'Enter' && now.cursor) point(now.cursor, event.shiftKey ? 0 : now.sign);
});

document.addEventListener('keydown', (event) => {
  const typing = event.target.matches?.('input[type="text"], input[type="search"]');
  if (!now.photo || typing || !(event.ctrlKey || event.metaKey)) return;
  const key = event.key.toLowerCase();
  if (key === 'z' || key === 'y') {
    event.preventDefault();
    if (key === 'y' || event.shiftKey) travel(now.future, now.past); else travel(now.past, now.future);
  }
});
