// The panel's part about objects: classes with their counts, the list, and what can be done with those that are chosen.

import { accept, acceptAll, choose, learn, merge, order, remove, rename, toggle } from './objects.js';
import { discard, saveKinds, settle, step, toggleDone } from './photos.js';
import { clear } from './prompts.js';
import { redraw } from './redraw.js';
import { fill, rove } from './rove.js';
import { $ } from './say.js';
import { show } from './drawing.js';
import { now } from './state.js';
import { setTool } from './tools.js';

// The colour of a class, as CSS and as [r, g, b].
const wheel = [[214, 92, 46], [46, 130, 214], [58, 163, 82], [178, 76, 190], [224, 168, 30], [30, 170, 170], [219, 70, 120], [120, 110, 220]];
export const paintOf = (name) => wheel[Math.max(0, now.kinds.indexOf(name)) % wheel.length];
const css = (name) => `rgb(${paintOf(name).join(' ')})`;

export function drawObjects() {
  drawKinds();
  const rows = [...now.objects].reverse().map((object, k) => {
    const row = document.createElement('li'), button = document.createElement('button'), swatch = document.createElement('i');
    const name = document.createElement('span'), state = document.createElement('small'), area = document.createElement('small');
    const number = now.objects.length - k, states = [object.hidden && 'hidden', object.locked && 'locked'].filter(Boolean).join(', ');
    swatch.style.background = css(object.name);
    name.textContent = `${number} ${object.name}`;
    state.textContent = states;
    area.textContent = `${object.area} px`;
    button.type = 'button';
    button.dataset.key = object.id;
    button.setAttribute('aria-pressed', String(now.chosen.includes(object.id)));
    button.setAttribute('aria-label', `object ${number}, ${object.name}, ${object.area} pixels${states && `, ${states}`}`);
    button.append(swatch, name, state, area);
    row.append(button);
    return row;
  });
  fill($('objects'), rows);
  $('object-count').textContent = now.objects.length || '';
  $('accept').disabled = !now.answer || now.answer.early;
  for (const button of $('with-chosen').querySelectorAll('button')) button.disabled = !now.chosen.length;
}

function drawKinds() {
  const rows = now.kinds.map((name, k) => {
    const row = document.createElement('li'), button = document.createElement('button'), swatch = document.createElement('i');
    const said = document.createElement('span'), count = document.createElement('small'), n = now.objects.filter((o) => o.name === name).length;
    swatch.style.background = css(name);
    said.textContent = k < 9 ? `${k + 1} ${name}` : name;
    count.textContent = n;
    button.type = 'button';
    button.dataset.key = name;
    button.setAttribute('aria-pressed', String(k === now.kind));
    button.setAttribute('aria-label', `class ${name}, ${n} objects${k < 9 ? `, key ${k + 1}` : ''}`);
    button.append(swatch, said, count);
    row.append(button);
    return row;
  });
  fill($('kinds'), rows);
}

// The class that new objects have, and those that are chosen get.
export function setKind(k) {
  if (!now.kinds[k]) return;
  now.kind = k;
  if (now.chosen.length && now.photo) rename(now.kinds[k]); else drawKinds();
}

$('kinds').addEventListener('click', (event) => {
  const button = event.target.closest('button');
  if (button) setKind(now.kinds.indexOf(button.dataset.key));
});

$('new-kind').addEventListener('submit', (event) => {
  event.preventDefault();
  const name = $('kind-name').value.trim();
  if (!name) return;
  learn(name);
  $('kind-name').value = '';
  setKind(now.kinds.indexOf(name));
  drawKinds();
  saveKinds();
});

$('objects').addEventListener('click', (event) => {
  const button = event.target.closest('button');
  if (!button) return;
  choose(+button.dataset.key, event.ctrlKey || event.metaKey || event.shiftKey);
  if (now.answer) clear(); else show();
});

$('objects').addEventListener('keydown', (event) => {
  const act = { Delete: remove, Backspace: remove, h: () => toggle('hidden'), l: () => toggle('locked') }[event.key];
  const button = event.target.closest('button');
  if (!act || !button) return;
  if (!now.chosen.includes(+button.dataset.key)) choose(+button.dataset.key, false);
  event.preventDefault();
  event.stopPropagation();
  act();
});

const acts = {
  accept, 'accept-all': acceptAll, delete: remove, merge, hide: () => toggle('hidden'), lock: () => toggle('locked'),
  refine: redraw, up: () => order(1), down: () => order(-1), next: () => step(1), previous: () => step(-1), done: toggleDone, discard,
};
for (const [id, act] of Object.entries(acts)) $(id).addEventListener('click', () => act());
for (const button of document.querySelectorAll('[data-tool]')) button.addEventListener('click', () => setTool(button.dataset.tool));
$('mine').addEventListener('click', () => settle(true));
$('theirs').addEventListener('click', () => settle(false));
for (const id of ['kinds', 'objects', 'list', 'candidates']) rove($(id));
