// Keys that work everywhere but where one types.

import { travel } from './history.js';
import { setKind } from './kinds.js';
import { accept, merge, order, remove, toggle } from './objects.js';
import { step, toggleDone } from './photos.js';
import { redraw } from './redraw.js';
import { now } from './state.js';
import { setTool } from './tools.js';
import { panBy, reset, zoomBy } from './zoom.js';

const plain = {
  n: () => step(1), p: () => step(-1), PageDown: () => step(1), PageUp: () => step(-1), d: toggleDone, a: accept, Delete: remove,
  m: merge, h: () => toggle('hidden'), l: () => toggle('locked'), r: redraw, '[': () => order(-1), ']': () => order(1),
  v: () => setTool('point'), b: () => setTool('brush'), e: () => setTool('eraser'), s: () => setTool('split'), c: () => setTool('corners'),
  '+': () => zoomBy(1.5), '=': () => zoomBy(1.5), '-': () => zoomBy(1 / 1.5), 0: reset,
};
const alt = { ArrowLeft: [-60, 0], ArrowRight: [60, 0], ArrowUp: [0, -60], ArrowDown: [0, 60] };

document.addEventListener('keydown', (event) => {
  const typing = event.target.matches?.('input[type="text"], input[type="search"], select, textarea');
  if (!now.photo || typing) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (event.ctrlKey || event.metaKey) {
    if (key !== 'z' && key !== 'y') return;
    event.preventDefault();
    if (key === 'y' || event.shiftKey) travel(now.future, now.past); else travel(now.past, now.future);
  } else if (event.altKey) {
    if (!alt[key]) return;
    event.preventDefault();
    panBy(...alt[key]);
  } else if (key >= '1' && key <= '9' && key.length === 1) setKind(+key - 1);
  else if (plain[key] && !(event.target.matches?.('input[type="range"]') && key.length > 1)) { event.preventDefault(); plain[key](); }
});
