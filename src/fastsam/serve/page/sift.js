// Which masks stay, by the sliders, and their list.

import { colour } from './draw.js';
import { show } from './drawing.js';
import { kept, labels } from './masks.js';
import { $ } from './say.js';
import { now } from './state.js';

// Which masks stay, by the sliders; all that follows from it.
export function sift() {
  const stay = kept(now.photo.segments, now.view);
  now.photo.indices = now.photo.naming && $('only').checked ? stay.filter((i) => now.photo.segments[i].named) : stay;
  $('named').hidden = !now.photo.naming;
  now.photo.labels = labels(now.photo.segments, now.photo.indices, now.photo.place);
  now.photo.colours = now.photo.segments.map((s) => colour(s, $('colours').value, now.photo.width * now.photo.height));
  for (const key of ['conf', 'iou']) { $(key).value = now.view[key]; $(`${key}-value`).textContent = now.view[key].toFixed(key === 'conf' ? 3 : 2); }
  $('conf').min = now.photo.found.conf;
  $('area').value = now.view.area ? Math.round(100 * Math.log(now.view.area) / Math.log(now.photo.width * now.photo.height)) : 0;
  $('area-value').textContent = `${now.view.area} px`;
  $('exact').checked = now.view.exact;
  $('count').textContent = `${now.photo.indices.length}`;
  fillList();
  show();
}

function fillList() {
  const rows = now.photo.indices.map((i) => {
    const segment = now.photo.segments[i], row = document.createElement('li'), button = document.createElement('button');
    const swatch = document.createElement('i'), name = document.createElement('span'), area = document.createElement('small'), score = document.createElement('small');
    swatch.style.background = now.photo.colours[i].css;
    name.textContent = `${segment.name ?? 'object'} ${i}`;
    area.textContent = `${segment.area} px`;
    score.textContent = segment.score.toFixed(2);
    button.type = 'button';
    button.dataset.index = i;
    button.setAttribute('aria-label', `${segment.name ?? 'object'} ${i}, ${segment.area} pixels, confidence ${segment.score.toFixed(2)}`);
    button.append(swatch, name, area, score);
    row.append(button);
    return row;
  });
  $('list').replaceChildren(...rows);
}
