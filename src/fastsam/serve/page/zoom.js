// Zoom and pan: wheel, pinch, the space bar or the middle button to drag, and keys.

import { showAnswer } from './drawing.js';
import { $ } from './say.js';
import { now } from './state.js';

const MOST = 64;
let zoom = 1, left = 0, top = 0;  // screen pixels by which the sheet lies to the left of, and above, the stage

function apply() {
  const stage = $('stage'), room = [stage.clientWidth, stage.clientHeight];
  left = Math.min(room[0] * (zoom - 1), Math.max(0, left));
  top = Math.min(room[1] * (zoom - 1), Math.max(0, top));
  $('sheet').style.transform = `translate(${-left}px, ${-top}px) scale(${zoom})`;
  $('sheet').classList.toggle('close', zoom * stage.clientWidth / (now.photo?.width ?? 1) > 3);
  $('zoom').textContent = zoom === 1 ? '' : `${Math.round(100 * zoom)}%`;
  if (now.photo) showAnswer();
}

// Zooms by a factor, so that what is at a point of the stage, by default its middle, comes to another one, or stays.
export function zoomBy(factor, x = $('stage').clientWidth / 2, y = $('stage').clientHeight / 2, toX = x, toY = y) {
  const to = Math.min(MOST, Math.max(1, zoom * factor));
  left = (left + x) * to / zoom - toX;
  top = (top + y) * to / zoom - toY;
  zoom = to;
  apply();
}

export function panBy(x, y) { left += x; top += y; apply(); }
export function reset() { zoom = 1; apply(); }

// Where a point of the photo is on the stage, in screen pixels.
export function onStage([x, y]) {
  const stage = $('stage');
  return [x / now.photo.width * stage.clientWidth * zoom - left, y / now.photo.height * stage.clientHeight * zoom - top];
}

// Brings a point of the photo into view.
export function follow([x, y]) {
  const stage = $('stage'), [px, py] = [x / now.photo.width * stage.clientWidth * zoom, y / now.photo.height * stage.clientHeight * zoom];
  const into = (at, from, room) => (at < from + 20 ? at - room / 4 : at > from + room - 20 ? at - 3 * room / 4 : from);
  if (zoom === 1) return;
  [left, top] = [into(px, left, stage.clientWidth), into(py, top, stage.clientHeight)];
  apply();
}

$('stage').addEventListener('wheel', (event) => {
  event.preventDefault();
  const box = $('stage').getBoundingClientRect();
  zoomBy(Math.exp(-event.deltaY / (event.deltaMode ? 20 : 400)), event.clientX - box.left, event.clientY - box.top);
}, { passive: false });

// Two fingers: their middle stays under them. Called by pointer.js with the fingers as [x, y] of the screen.
export function pinch([a, b], [c, d]) {
  const box = $('stage').getBoundingClientRect(), middle = (p, q) => [(p[0] + q[0]) / 2 - box.left, (p[1] + q[1]) / 2 - box.top];
  zoomBy(Math.hypot(c[0] - d[0], c[1] - d[1]) / (Math.hypot(a[0] - b[0], a[1] - b[1]) || 1), ...middle(a, b), ...middle(c, d));
}
addEventListener('resize', apply);
