// Which masks stay, by the sliders and the level, and their list.

import { colour } from './draw.js';
import { show } from './drawing.js';
import { ofLevel } from './levels.js';
import { kept, labels } from './masks.js';
import { fill } from './rove.js';
import { $ } from './say.js';
import { now } from './state.js';

// Which masks may answer, by the sliders, and which of them are shown; all that follows from it.
export function sift() {
  const stay = kept(now.photo.segments, now.view);
  now.photo.indices = now.photo.naming && $('only').checked ? stay.filter((i) => now.photo.segments[i].named) : stay;
  now.photo.shown = ofLevel(now.photo.segments, now.photo.indices, now.view.level);
  $('named').hidden = !now.photo.naming;
  now.photo.labels = labels(now.photo.segments, now.photo.shown, now.photo.place);
  now.photo.colours = now.photo.segments.map((s) => colour(s, $('colours').value, now.photo.width * now.photo.height));
  for (const key of ['conf', 'iou']) { $(key).value = now.view[key]; $(`${key}-value`).textContent = now.view[key].toFixed(key === 'conf' ? 3 : 2); }
  $('conf').min = now.photo.found.conf;
  $('area').value = now.view.area ? Math.round(100 * Math.log(now.view.area) / Math.log(now.photo.width * now.photo.height)) : 0;
  $('area-value').textContent = `${now.view.area} px`;
  $('exact').checked = now.view.exact;
  $('level').value = now.view.level;
  $('count').textContent = `${now.photo.shown.length}`;
  fillList();
  show();
}

function fillList() {
  const rows = now.photo.shown.map((i) => {
    const segment = now.photo.segments[i], row = document.createElement('li'), button = document.createElement('button');
    const swatch = document.createElement('i'), name = document.createElement('span'), area = document.createElement('small'), score = document.createElement('small');
    swatch.style.background = now.photo.colours[i].css;
    name.textContent = `${segment.name ?? 'object'} ${i}`;
    area.textContent = `${segment.area} px`;
    score.textContent = segment.score.toFixed(2);
    button.type = 'button';
    button.dataset.index = button.dataset.key = i;
    button.setAttribute('aria-label', `${segment.name ?? 'object'} ${i}, ${segment.area} pixels, confidence ${segment.score.toFixed(2)}`);
    button.append(swatch, name, area, score);
    row.append(button);
    return row;
  });
  fill($('list'), rows);
}
