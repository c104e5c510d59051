// Classes: their list with counts in this photo and in all, the current one, new ones, and another name for one.

import { commit } from './history.js';
import { learn, rename } from './objects.js';
import { elsewhere, saveKinds } from './photos.js';
import { renameEverywhere } from './renaming.js';
import { fill, rove } from './rove.js';
import { $, fail } from './say.js';
import { now } from './state.js';

// The colour of a class, as CSS and as [r, g, b].
const wheel = [[214, 92, 46], [46, 130, 214], [58, 163, 82], [178, 76, 190], [224, 168, 30], [30, 170, 170], [219, 70, 120], [120, 110, 220]];
export const paintOf = (name) => wheel[Math.max(0, now.kinds.indexOf(name)) % wheel.length];
export const css = (name) => `rgb(${paintOf(name).join(' ')})`;

export function drawKinds() {
  const several = now.items.length > 1;
  const rows = now.kinds.map((name, k) => {
    const row = document.createElement('li'), button = document.createElement('button'), swatch = document.createElement('i');
    const said = document.createElement('span'), count = document.createElement('small');
    const n = now.objects.filter((o) => o.name === name).length, all = n + elsewhere(name);
    swatch.style.background = css(name);
    said.textContent = k < 9 ? `${k + 1} ${name}` : name;
    count.textContent = several ? `${n} of ${all}` : n;
    count.title = several ? 'objects in this photo, of those in all photos' : '';
    button.type = 'button';
    button.dataset.key = name;
    button.setAttribute('aria-pressed', String(k === now.kind));
    button.setAttribute('aria-label', `class ${name}, ${n} objects${several ? `, ${all} in all photos` : ''}${k < 9 ? `, key ${k + 1}` : ''}`);
    button.append(swatch, said, count);
    row.append(button);
    return row;
  });
  fill($('kinds'), rows);
  $('rename-kind').disabled = !now.kinds.length;
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

$('kinds').addEventListener('keydown', (event) => {
  if (event.key !== 'F2') return;
  now.kind = Math.max(0, now.kinds.indexOf(event.target.dataset.key));
  drawKinds();
  $('kind-name').value = now.kinds[now.kind];
  $('kind-name').select();
});

$('new-kind').addEventListener('submit', (event) => {
  event.preventDefault();
  const name = written();
  if (!name) return;
  learn(name);
  $('kind-name').value = '';
  setKind(now.kinds.indexOf(name));
  drawKinds();
  saveKinds();
});

const written = () => $('kind-name').value.trim().replace(/\s+/g, ' ');

$('rename-kind').addEventListener('click', async () => {
  const from = now.kinds[now.kind], to = written();
  if (!to) { fail('Type the new name first.'); $('kind-name').focus(); return; }
  if (!now.photo || from === to || !await renameEverywhere(from, to)) return;
  $('kind-name').value = '';
  const told = now.objects.map((o) => (o.name === from ? Object.freeze({ ...o, name: to }) : o));
  commit({ renames: [...now.renames, [from, to]], ...(now.objects.some((o) => o.name === from) ? { objects: told } : {}) });
});

rove($('kinds'));
