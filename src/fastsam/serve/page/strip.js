// The strip of thumbnails under the photo: which photos there are, which are done.

import { fileOf, go } from './photos.js';
import { fill, rove } from './rove.js';
import { $ } from './say.js';
import { now } from './state.js';

const SIDE = 160;  // pixels of a thumbnail's longer side
const SAID = { new: 'new', work: 'in work', done: 'done' };
const seen = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) if (isIntersecting) { seen.unobserve(target); picture(target); }
});

const rows = new Map();  // item -> its row

export function drawStrip() {
  const strip = $('strip');
  strip.hidden = now.items.length < 2 && !now.items.some((one) => one.state !== 'new');
  if (now.items.some((one, k) => strip.children[k] !== rows.get(one)) || strip.children.length !== now.items.length) {
    fill(strip, now.items.map((one) => rows.get(one) ?? row(one)));
  }
  for (const one of now.items) {
    const button = rows.get(one).firstChild, open = one === now.item;
    if (button.dataset.state !== one.state) {
      button.dataset.state = one.state;
      button.setAttribute('aria-label', `${one.name}, ${SAID[one.state]}`);
    }
    if (open !== button.hasAttribute('aria-current')) {
      if (open) button.setAttribute('aria-current', 'true'); else button.removeAttribute('aria-current');
      if (open) rows.get(one).scrollIntoView({ block: 'nearest', inline: 'nearest' });
    }
  }
  const done = now.items.filter((one) => one.state === 'done').length;
  $('progress-of-all').textContent = now.items.length > 1 ? `${now.items.indexOf(now.item) + 1} of ${now.items.length} · ${done} done` : '';
  for (const [id, by] of [['previous', -1], ['next', 1]]) $(id).disabled = !now.items[now.items.indexOf(now.item) + by];
  $('done').setAttribute('aria-pressed', String(Boolean(now.item?.done)));
}

function row(item) {
  const found = document.createElement('li'), button = document.createElement('button'), image = document.createElement('canvas');
  button.type = 'button';
  button.dataset.key = item.name;
  button.title = item.name;
  button.addEventListener('click', () => go(now.items.indexOf(item)));
  button.append(image);
  found.append(button);
  rows.set(item, found);
  image.item = item;
  seen.observe(image);
  return found;
}

async function picture(canvas) {
  try {
    const whole = await createImageBitmap(await fileOf(canvas.item));
    const scale = SIDE / Math.max(whole.width, whole.height);
    canvas.width = Math.max(1, Math.round(whole.width * scale));
    canvas.height = Math.max(1, Math.round(whole.height * scale));
    canvas.getContext('2d').drawImage(whole, 0, 0, canvas.width, canvas.height);
    whole.close();
  } catch { canvas.parentNode.textContent = canvas.item.name; }  // of a type that this browser does not show
}

rove($('strip'));
