// Draws what the state holds: everything, the answer, the prompt; the panel says the same in words.

import { describe, said, showCandidates } from './candidates.js';
import { python } from './code.js';
import { drawAnswer, drawLabels, drawPrompt } from './draw.js';
import { paint } from './masks.js';
import { $ } from './say.js';
import { isEmpty, now } from './state.js';

export function show() {
  const everything = $('everything');
  const some = $('masks').checked ? now.photo.labels : new Int32Array(now.photo.labels.length);
  drawLabels(everything, some, now.photo.colours.map((c) => c.rgb), +$('opacity').value * (now.answer ? 0.4 : 1), $('outlines').checked && !now.answer);
  showAnswer();
}

export function showAnswer() {
  const { place } = now.photo, candidate = now.answer?.candidates[now.answer.at];
  let found = null;
  if (candidate || now.hover) {
    found = new Uint8Array(place.w * place.h);
    for (const one of candidate ? now.answer.all ?? [candidate] : [now.photo.segments[now.hover - 1]]) paintCandidate(found, one);
  }
  drawAnswer($('picked'), found, Boolean(candidate));
  const x = place.w / place.width, y = place.h / place.height, shown = now.press?.box ?? now.prompt.box;
  drawPrompt($('picked'), {
    points: now.prompt.points.map((p) => [p[0] * x, p[1] * y]), labels: now.prompt.labels,
    box: shown && [shown[0] * x, shown[1] * y, shown[2] * x, shown[3] * y], cursor: now.cursor && [now.cursor[0] * x, now.cursor[1] * y],
  }, $('picked').clientWidth / place.w || 1);
  const index = candidate?.index ?? (now.hover ? now.hover - 1 : null);
  for (const button of $('list').querySelectorAll('button')) {
    const on = candidate && now.answer.all ? now.answer.all.some((m) => m.index === +button.dataset.index) : +button.dataset.index === index;
    button.setAttribute('aria-pressed', String(on));
  }
  showCandidates();
  $('part').disabled = !now.answer || now.answer.all || now.answer.at === 0;
  $('whole').disabled = !now.answer || now.answer.all || now.answer.at === now.answer.candidates.length - 1;
  $('clear').disabled = isEmpty(now.prompt);
  $('undo').disabled = !now.past.length;
  $('redo').disabled = !now.future.length;
  const n = now.answer?.all?.length ?? (candidate ? 1 : 0);
  $('what').textContent = n ? `the ${n === 1 ? 'picked mask' : `${n} picked masks`}` : `all ${now.photo.indices.length} masks`;
  $('answer').textContent = said(candidate, n);
  $('status').textContent = now.hover ? describe(now.photo.segments[now.hover - 1]) : `${now.photo.indices.length} masks`;
  const naming = now.photo.naming && { ...now.photo.naming, only: $('only').checked };
  $('code').textContent = python(now.own.model, now.photo.name, { prompt: now.prompt, view: now.view, found: now.photo.found, rank: candidate?.rank ?? 0 }, now.photo.indices.indexOf(now.prompt.mask), naming);
}

function paintCandidate(found, one) {
  if (one.runs) { paint(found, 1, one.runs, now.photo.place); return; }
  for (const i of one.plus ?? [one.index]) paint(found, 1, now.photo.segments[i].runs, now.photo.place);
  for (const i of one.minus ?? []) paint(found, 0, now.photo.segments[i].runs, now.photo.place);
}
