// Draws what the state holds: everything, the answer, the prompt; the panel says the same in words.

import { describe, said, showCandidates } from './candidates.js';
import { python } from './code.js';
import { drawAnswer, drawLabels, drawPrompt } from './draw.js';
import { paint } from './masks.js';
import { $ } from './say.js';
import { paintOf } from './kinds.js';
import { drawObjects } from './objectlist.js';
import { ringsOf } from './corners.js';
import { isEmpty, now } from './state.js';
import { onStage } from './zoom.js';

export function show() {
  const everything = $('everything');
  const some = $('masks').checked ? now.photo.labels : new Int32Array(now.photo.labels.length);
  drawLabels(everything, some, now.photo.colours.map((c) => c.rgb), +$('opacity').value * (now.answer ? 0.4 : 1), $('outlines').checked && !now.answer);
  const own = new Int32Array(now.photo.labels.length);
  now.objects.forEach((object, k) => { if (!object.hidden) paint(own, k + 1, object.runs, now.photo.place); });
  drawLabels($('kept'), own, now.objects.map((o) => paintOf(o.name)), +$('opacity').value * (now.answer ? 0.5 : 1), true);
  showAnswer();
}

export function showAnswer() {
  const { place } = now.photo, candidate = now.answer?.candidates[now.answer.at];
  let found = null;
  const chosen = candidate ? [] : now.objects.filter((o) => now.chosen.includes(o.id) && !o.hidden), proposes = now.tool === 'point' && now.hover;
  if (candidate || chosen.length || proposes || now.stroke?.pixels) found = new Uint8Array(place.w * place.h);
  if (now.stroke?.pixels) sample(found, now.stroke.pixels);
  else if (chosen.length) for (const one of chosen) paint(found, 1, one.runs, place);
  else if (candidate || proposes) {
    for (const one of candidate ? now.answer.all ?? [candidate] : [now.photo.segments[now.hover - 1]]) paintCandidate(found, one);
  }
  drawAnswer($('picked'), found, Boolean(candidate));
  drawMarks(chosen);
  const index = candidate?.index ?? (now.hover ? now.hover - 1 : null);
  for (const button of $('list').querySelectorAll('button')) {
    const on = candidate && now.answer.all ? now.answer.all.some((m) => m.index === +button.dataset.index) : +button.dataset.index === index;
    button.setAttribute('aria-pressed', String(on));
  }
  showCandidates();
  drawObjects();
  $('part').disabled = !now.answer || now.answer.all || now.answer.at === 0;
  $('whole').disabled = !now.answer || now.answer.all || now.answer.at === now.answer.candidates.length - 1;
  $('clear').disabled = isEmpty(now.prompt);
  $('undo').disabled = !now.past.length;
  $('redo').disabled = !now.future.length;
  const n = now.answer?.all?.length ?? (candidate ? 1 : 0);
  $('what').textContent = n ? `the ${n === 1 ? 'picked mask' : `${n} picked masks`}` : `all ${now.photo.shown.length} masks`;
  $('answer').textContent = said(candidate, n);
  $('status').textContent = proposes ? describe(now.photo.segments[now.hover - 1]) : `${now.photo.shown.length} masks`;
  const naming = now.photo.naming && { ...now.photo.naming, only: $('only').checked };
  $('code').textContent = python(now.own.model, now.photo.name, { prompt: now.prompt, view: now.view, found: now.photo.found, rank: candidate?.rank ?? 0 }, now.photo.indices.indexOf(now.prompt.mask), naming);
}

// Points, boxes, strokes and corners, on a canvas of the screen's own pixels, so that they stay sharp at any zoom.
function drawMarks(chosen) {
  const stage = $('stage'), sharp = window.devicePixelRatio || 1, shown = now.press?.box ?? now.prompt.box;
  const [w, h] = [Math.round(stage.clientWidth * sharp), Math.round(stage.clientHeight * sharp)];
  if ($('marks').width !== w || $('marks').height !== h) Object.assign($('marks'), { width: w, height: h });
  const put = (p) => onStage(p).map((v) => v * sharp);
  $('marks').getContext('2d').clearRect(0, 0, w, h);
  drawPrompt($('marks'), {
    points: now.prompt.points.map(put), labels: now.prompt.labels, box: shown && [...put(shown.slice(0, 2)), ...put(shown.slice(2))],
    cursor: now.cursor && put(now.cursor), line: now.stroke?.line?.map(put),
    rings: now.tool === 'corners' && chosen.length === 1 ? ringsOf(chosen[0]).map((ring) => ring.map(put)) : [],
  }, 1 / sharp);
}

// A mask's pixels as the grid shows them.
function sample(found, pixels) {
  const { width, height, w, h } = now.photo.place;
  for (let x = 0; x < w; x++) {
    const column = Math.min(width - 1, Math.floor((x + 0.5) * width / w)) * height;
    for (let y = 0; y < h; y++) if (pixels[column + Math.min(height - 1, Math.floor((y + 0.5) * height / h))]) found[y * w + x] = 1;
  }
}

function paintCandidate(found, one) {
  if (one.runs) { paint(found, 1, one.runs, now.photo.place); return; }
  for (const i of one.plus ?? [one.index]) paint(found, 1, now.photo.segments[i].runs, now.photo.place);
  for (const i of one.minus ?? []) paint(found, 0, now.photo.segments[i].runs, now.photo.place);
}
