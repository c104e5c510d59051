// The panel's part about objects: their list, and what can be done with those that are chosen.

import { css, drawKinds } from './kinds.js';
import { accept, acceptAll, choose, merge, order, remove, toggle } from './objects.js';
import { discard, settle, step, toggleDone } from './photos.js';
import { clear } from './prompts.js';
import { redraw } from './redraw.js';
import { fill, rove } from './rove.js';
import { $ } from './say.js';
import { show } from './drawing.js';
import { now } from './state.js';
import { setTool } from './tools.js';

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
for (const id of ['objects', 'list', 'candidates']) rove($(id));
