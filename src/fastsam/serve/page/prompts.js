// From a prompt to its answer.

import * as engine from './engine.js';
import { show, showAnswer } from './drawing.js';
import { commit } from './history.js';
import { overlap, runs } from './masks.js';
import { call, isStale } from './naming.js';
import { save } from './photos.js';
import { withPhoto } from './photo.js';
import { target } from './objects.js';
import { $, fail, working } from './say.js';
import { sift } from './sift.js';
import { NOTHING, isEmpty, now } from './state.js';

export async function refresh() {
  sift();
  save();
  now.waiting = isStale() ? call(now.photo.naming).then(pick) : pick();
  await now.waiting;
}

// A prompt of points and a box as the service reads it.
export function asking({ points, labels, box, before: drawn }) {
  const one = { points, labels, ...(box ? { box } : {}), ...(now.view.exact && drawn ? { mask: drawn.segmentation } : {}) };
  return { prompts: [one], among: now.photo.indices, ...(now.view.exact ? {} : { refine: false }) };
}

// What to show until the answer comes: the mask under the first click, or the one whose box fits the drawn one best.
function early(wanted) {
  const object = now.objects.find((o) => o.id === wanted.object);
  if (object) return { of: wanted, candidates: [{ ...object, index: null, how: 'corrected', rank: 0 }], at: 0, early: true };
  let index = -1;
  if (wanted.box) {
    const fit = (i) => overlap(now.photo.segments[i].box, wanted.box);
    index = now.photo.indices.reduce((best, i) => (fit(i) >= 0.5 && (best < 0 || fit(i) > fit(best)) ? i : best), -1);
  } else if (wanted.points.length) {
    index = under(wanted.points[0]) - 1;
  }
  return index < 0 ? null : { of: wanted, candidates: [{ ...now.photo.segments[index], rank: 0 }], at: 0, early: true };
}

async function pick() {
  const mine = ++now.asked, wanted = now.prompt;
  $('picked').setAttribute('aria-busy', 'false');
  if (isEmpty(wanted)) { now.answer = null; fail(''); show(); return; }
  if (wanted.mask !== undefined) {
    now.answer = now.photo.indices.includes(wanted.mask) ? { of: wanted, candidates: [now.photo.segments[wanted.mask]], at: 0 } : null;
    show();
    return;
  }
  $('picked').setAttribute('aria-busy', 'true');
  const body = wanted.text ? { texts: [wanted.text], among: now.photo.indices } : asking(wanted);
  if (wanted.text) { working(null, 'Reading…'); if (!now.answer) showAnswer(); }
  else if (!follows(wanted)) { now.answer = early(wanted); showAnswer(); }
  try {
    const [found] = await withPhoto((id) => engine.select(id, body));
    if (mine !== now.asked) return;
    fail('');
    now.answer = found && { of: wanted, ...ordered(found) };
  } catch (error) {
    if (mine !== now.asked) return;
    now.answer = null;
    fail(error.message);
  } finally {
    if (mine === now.asked) { working(); $('picked').setAttribute('aria-busy', 'false'); }
  }
  show();
}

// Candidates from part to whole, the best one shown first; every match of a text.
function ordered(found) {
  const size = (c) => (c.plus ?? [c.index]).reduce((sum, i) => sum + now.photo.segments[i].area, 0);
  const shown = (c) => (c.segmentation ? { runs: runs(c.segmentation.counts) } : { area: size(c) });
  const candidates = found.candidates.map((c, rank) => ({ ...c, ...shown(c), rank }));
  if (found.matches) return { candidates, at: 0, all: found.matches };
  const best = candidates[0];
  candidates.sort((a, b) => a.area - b.area);
  return { candidates, at: candidates.indexOf(best) };
}

export function step(by) {
  if (!now.answer || now.answer.all || now.answer.early || !now.answer.candidates[now.answer.at + by]) return false;
  now.answer.at += by;
  showAnswer();
  return true;
}

export function point(at, label) {
  const plain = now.prompt.text || now.prompt.mask !== undefined ? NOTHING : now.prompt;
  const object = isEmpty(plain) && now.chosen.length ? target('correct') : null;
  if (isEmpty(plain) && now.chosen.length && !object) return;
  if (!label && !plain.points.length && !plain.box && !object) { fail('A negative point needs something to take from: click what you mean first.'); return; }
  const wanted = { ...plain, points: [...plain.points, at], labels: [...plain.labels, label] };
  const drawn = now.answer?.of === plain ? now.answer.candidates[now.answer.at] : null;
  if (drawn?.segmentation && drawn.how === 'drawn') wanted.before = { prompt: plain, view: now.before ?? now.view, found: now.photo.found, rank: drawn.rank, segmentation: drawn.segmentation };
  if (object) Object.assign(wanted, { object: object.id, before: { kept: true, segmentation: { size: [now.photo.height, now.photo.width], counts: object.counts } } });
  commit({ prompt: wanted });
}

// Whether a prompt is that of what is shown, or adds points to it: it then stays until the answer comes.
function follows(wanted) {
  const old = now.answer?.of;
  if (!old || old === wanted) return Boolean(old);
  return Boolean(old.points.length || old.box) && old.box === wanted.box && old.points.every((one, k) => one === wanted.points[k]);
}

export function clear() {
  $('text').value = '';
  commit({ prompt: NOTHING });
}


// Index + 1 of the mask that is seen at a point of the photo, 0 where there is none.
export function under([x, y]) {
  const { w, h, width, height } = now.photo.place;
  return now.photo.labels[Math.min(h - 1, Math.floor(y * h / height)) * w + Math.min(w - 1, Math.floor(x * w / width))];
}
