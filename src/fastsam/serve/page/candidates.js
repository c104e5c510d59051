// What might answer, as a list and in words.

import { $ } from './say.js';
import { isEmpty, now } from './state.js';

// What might answer, from part to whole, each with its predicted quality if it was drawn.
export function showCandidates() {
  const shown = now.answer && !now.answer.all && now.prompt.mask === undefined ? now.answer.candidates : [];
  const key = JSON.stringify([now.answer?.at, now.answer?.early, shown.map((c) => [called(c), c.area, c.score, c.quality])]);
  if ($('candidates').dataset.key === key) return;  // a button that has the focus keeps it
  $('candidates').dataset.key = key;
  $('candidates').hidden = !shown.length;
  const rows = shown.map((candidate, k) => {
    const row = document.createElement('li'), button = document.createElement('button');
    const [name, area, sure] = ['span', 'small', 'small'].map((kind) => document.createElement(kind));
    name.textContent = called(candidate);
    area.textContent = `${candidate.area} px`;
    sure.textContent = now.answer.early ? '…' : percent(candidate) || candidate.score.toFixed(2);
    button.type = 'button';
    button.dataset.candidate = k;
    button.setAttribute('aria-pressed', String(k === now.answer.at));
    button.append(name, area, sure);
    row.append(button);
    return row;
  });
  $('candidates').replaceChildren(...rows);
}

const percent = (c) => (c.quality === undefined || c.quality === null ? '' : `${Math.round(100 * c.quality)}%`);
const called = (c) => (c.index === null ? c.how : `${c.how === 'drawn' ? 'drawn from ' : ''}${now.photo.segments[c.index].name ?? 'object'} ${c.index}`);

export const describe = (s) => `${s.name ?? 'object'} ${s.index} · ${s.area} px · ${s.score.toFixed(2)}`;

export function said(candidate, n) {
  if (!candidate) return isEmpty(now.prompt) || $('picked').getAttribute('aria-busy') === 'true' ? '' : 'No mask answers.';
  if (now.answer.all) return `${n} mask${n === 1 ? '' : 's'} for “${now.prompt.text}”`;
  if (now.answer.early) return '';
  const place = now.answer.candidates.length > 1 ? ` (${now.answer.at + 1} of ${now.answer.candidates.length}, from part to whole)` : '';
  return `${called(candidate)}${place}${percent(candidate) && ` · ${percent(candidate)}`}`;
}
