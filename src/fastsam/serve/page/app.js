// The page's state and what changes it. One photo at a time; history holds prompts and sliders, never pixels.

import * as api from './api.js';
import { python } from './code.js';
import { colour, drawAnswer, drawLabels, drawPrompt } from './draw.js';
import { grid, kept, labels, overlap, paint, runs } from './masks.js';

const $ = (id) => document.getElementById(id);
const MOST = 1600;  // canvas pixels of the longer side
const DRAG = 5;  // screen pixels from which on a press is a box
const NOTHING = Object.freeze({ points: [], labels: [], box: null, text: '' });

let own;  // the service and its weights' settings
let photo = null;  // { file, id, width, height, segments, found, place, labels, indices }
let view = {};  // { conf, iou, area, exact }
let prompt = NOTHING;  // before: of a further click, the drawn answer that it corrects: { prompt, view, found, rank, segmentation }
let answer = null;  // { of: its prompt, candidates: from part to whole, at, all, early: whether the true one is on its way }
let past = [], future = [];
let hover = 0, cursor = null, press = null, sign = 1;
let opened = 0, asked = 0;  // how many photos, and how many answers, were asked for: only the last one counts
let before = null;  // the sliders as they were before one was taken hold of
let waiting = Promise.resolve();  // for the answer to the last prompt

// ---------------------------------------------------------------------------------------------- photo

async function open(file) {
  if (!file) return;
  const mine = ++opened;
  fail('');
  await begun;
  if (mine !== opened || !own) return;
  const found = { conf: Math.max(0.005, +(own.conf / 3).toFixed(3)), iou: 0.9, max_det: 600 };
  working(0, 'Sending…');
  let result, picture;
  try {
    result = await api.segment(file, found, (share) => mine === opened && working(share, share === null ? 'Looking for objects…' : 'Sending…'));
    picture = await pixels(file, result);
  } catch (error) {
    if (result) api.forget(result.id);
    if (mine === opened) { working(); fail(`${file.name || 'The photo'}: ${error.message}`); }
    return;
  }
  if (mine !== opened) { api.forget(result.id); return; }
  if (photo) api.forget(photo.id);
  asked += 1;
  const place = grid(result.width, result.height, MOST);
  photo = { file, id: result.id, name: result.name, width: result.width, height: result.height, segments: ready(result), found, place };
  view = { conf: own.conf, iou: Math.min(own.iou, found.iou), area: 0, exact: true };
  prompt = NOTHING; answer = null; past = []; future = []; hover = 0; cursor = null; press = null; before = null;
  $('redrawn').checked = false;
  $('picked').setAttribute('aria-busy', 'false');
  for (const id of ['photo', 'everything', 'picked']) Object.assign($(id), { width: place.w, height: place.h });
  $('stage').style.setProperty('--ratio', place.w / place.h);
  $('photo').getContext('2d').drawImage(picture, 0, 0, place.w, place.h);
  $('welcome').hidden = true; $('stage').hidden = false; $('panel').hidden = false;
  $('facts').textContent = `${result.name} · ${result.width} × ${result.height} · network ${Math.round(1000 * result.seconds.network)} ms`;
  $('text').value = '';
  working();
  sift();
  $('picked').focus({ preventScroll: true });
}

// The segments of an answer, as the page needs them.
const ready = (result) => result.segments.map((s) => ({ ...s, runs: runs(s.segmentation.counts), category: s.category_id }));

// Everything once more, every mask drawn anew or as the first network found it. Prompts stay, but no picked mask does.
async function redraw() {
  const one = photo, mine = ++opened, found = { ...one.found };
  if ($('redrawn').checked) found.refine = true; else delete found.refine;
  working(null, found.refine ? 'Drawing every mask…' : 'Looking for objects…');
  try {
    const result = await api.segment(one.file, found, () => {});
    if (mine !== opened) { api.forget(result.id); return; }
    const segments = ready(result), names = one.naming && await api.name(result.id, { ...one.naming, among: kept(segments, view) });
    if (mine !== opened) { api.forget(result.id); return; }
    api.forget(one.id);
    Object.assign(one, { id: result.id, segments, found });
    if (names) { one.naming.among = kept(segments, view); rename(one, names); }
    if (prompt.mask !== undefined) prompt = NOTHING;
    past = []; future = []; hover = 0; answer = null;
    fail('');
    refresh();
  } catch (error) {
    if (mine !== opened) return;
    $('redrawn').checked = Boolean(one.found.refine);
    fail(error.message);
  } finally {
    if (mine === opened) working();
  }
}

// The photo as the service sees it: the browser's own reading where it has the same size.
async function pixels(file, { id, width, height }) {
  try {
    const bitmap = await createImageBitmap(file);
    if (bitmap.width === width && bitmap.height === height) return bitmap;
  } catch { /* of a type that this browser does not show */ }
  return createImageBitmap((await api.file(id, { format: 'overlay', among: [] })).blob);
}

// The same request once more where the service has forgotten the photo meanwhile. Nothing where the page has.
async function withPhoto(call) {
  const one = photo;
  try {
    return await call(one.id);
  } catch (error) {
    if (error.status !== 404 || one !== photo) throw error;
    one.id = (await api.segment(one.file, one.found, () => {})).id;
    if (one.naming) await api.name(one.id, one.naming);
    return call(one.id);
  }
}

// ---------------------------------------------------------------------------------------------- masks

// Which masks stay, by the sliders; all that follows from it.
function sift() {
  const stay = kept(photo.segments, view);
  photo.indices = photo.naming && $('only').checked ? stay.filter((i) => photo.segments[i].named) : stay;
  $('named').hidden = !photo.naming;
  photo.labels = labels(photo.segments, photo.indices, photo.place);
  photo.colours = photo.segments.map((s) => colour(s, $('colours').value, photo.width * photo.height));
  for (const key of ['conf', 'iou']) { $(key).value = view[key]; $(`${key}-value`).textContent = view[key].toFixed(key === 'conf' ? 3 : 2); }
  $('conf').min = photo.found.conf;
  $('area').value = view.area ? Math.round(100 * Math.log(view.area) / Math.log(photo.width * photo.height)) : 0;
  $('area-value').textContent = `${view.area} px`;
  $('exact').checked = view.exact;
  $('count').textContent = `${photo.indices.length}`;
  fillList();
  show();
}

function fillList() {
  const rows = photo.indices.map((i) => {
    const segment = photo.segments[i], row = document.createElement('li'), button = document.createElement('button');
    const swatch = document.createElement('i'), name = document.createElement('span'), area = document.createElement('small'), score = document.createElement('small');
    swatch.style.background = photo.colours[i].css;
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

// ---------------------------------------------------------------------------------------------- drawing

function show() {
  const everything = $('everything');
  const some = $('masks').checked ? photo.labels : new Int32Array(photo.labels.length);
  drawLabels(everything, some, photo.colours.map((c) => c.rgb), +$('opacity').value * (answer ? 0.4 : 1), $('outlines').checked && !answer);
  showAnswer();
}

function showAnswer() {
  const { place } = photo, candidate = answer?.candidates[answer.at];
  let found = null;
  if (candidate || hover) {
    found = new Uint8Array(place.w * place.h);
    for (const one of candidate ? answer.all ?? [candidate] : [photo.segments[hover - 1]]) paintCandidate(found, one);
  }
  drawAnswer($('picked'), found, Boolean(candidate));
  const x = place.w / place.width, y = place.h / place.height, shown = press?.box ?? prompt.box;
  drawPrompt($('picked'), {
    points: prompt.points.map((p) => [p[0] * x, p[1] * y]), labels: prompt.labels,
    box: shown && [shown[0] * x, shown[1] * y, shown[2] * x, shown[3] * y], cursor: cursor && [cursor[0] * x, cursor[1] * y],
  }, $('picked').clientWidth / place.w || 1);
  const index = candidate?.index ?? (hover ? hover - 1 : null);
  for (const button of $('list').querySelectorAll('button')) {
    const on = candidate && answer.all ? answer.all.some((m) => m.index === +button.dataset.index) : +button.dataset.index === index;
    button.setAttribute('aria-pressed', String(on));
  }
  showCandidates();
  $('part').disabled = !answer || answer.all || answer.at === 0;
  $('whole').disabled = !answer || answer.all || answer.at === answer.candidates.length - 1;
  $('clear').disabled = isEmpty(prompt);
  $('undo').disabled = !past.length;
  $('redo').disabled = !future.length;
  const n = answer?.all?.length ?? (candidate ? 1 : 0);
  $('what').textContent = n ? `the ${n === 1 ? 'picked mask' : `${n} picked masks`}` : `all ${photo.indices.length} masks`;
  $('answer').textContent = said(candidate, n);
  $('status').textContent = hover ? describe(photo.segments[hover - 1]) : `${photo.indices.length} masks`;
  const naming = photo.naming && { ...photo.naming, only: $('only').checked };
  $('code').textContent = python(own.model, photo.name, { prompt, view, found: photo.found, rank: candidate?.rank ?? 0 }, photo.indices.indexOf(prompt.mask), naming);
}

// What might answer, from part to whole, each with its predicted quality if it was drawn.
function showCandidates() {
  const shown = answer && !answer.all && prompt.mask === undefined ? answer.candidates : [];
  const key = JSON.stringify([answer?.at, answer?.early, shown.map((c) => [called(c), c.area, c.score, c.quality])]);
  if ($('candidates').dataset.key === key) return;  // a button that has the focus keeps it
  $('candidates').dataset.key = key;
  $('candidates').hidden = !shown.length;
  const rows = shown.map((candidate, k) => {
    const row = document.createElement('li'), button = document.createElement('button');
    const [name, area, sure] = ['span', 'small', 'small'].map((kind) => document.createElement(kind));
    name.textContent = called(candidate);
    area.textContent = `${candidate.area} px`;
    sure.textContent = answer.early ? '…' : percent(candidate) || candidate.score.toFixed(2);
    button.type = 'button';
    button.dataset.candidate = k;
    button.setAttribute('aria-pressed', String(k === answer.at));
    button.append(name, area, sure);
    row.append(button);
    return row;
  });
  $('candidates').replaceChildren(...rows);
}

const percent = (c) => (c.quality === undefined || c.quality === null ? '' : `${Math.round(100 * c.quality)}%`);
const called = (c) => (c.index === null ? c.how : `${c.how === 'drawn' ? 'drawn from ' : ''}${photo.segments[c.index].name ?? 'object'} ${c.index}`);

function paintCandidate(found, one) {
  if (one.runs) { paint(found, 1, one.runs, photo.place); return; }
  for (const i of one.plus ?? [one.index]) paint(found, 1, photo.segments[i].runs, photo.place);
  for (const i of one.minus ?? []) paint(found, 0, photo.segments[i].runs, photo.place);
}

const describe = (s) => `${s.name ?? 'object'} ${s.index} · ${s.area} px · ${s.score.toFixed(2)}`;

function said(candidate, n) {
  if (!candidate) return isEmpty(prompt) || $('picked').getAttribute('aria-busy') === 'true' ? '' : 'No mask answers.';
  if (answer.all) return `${n} mask${n === 1 ? '' : 's'} for “${prompt.text}”`;
  if (answer.early) return '';
  const place = answer.candidates.length > 1 ? ` (${answer.at + 1} of ${answer.candidates.length}, from part to whole)` : '';
  return `${called(candidate)}${place}${percent(candidate) && ` · ${percent(candidate)}`}`;
}

// ---------------------------------------------------------------------------------------------- prompts

const isEmpty = (p) => !p.points.length && !p.box && !p.text && p.mask === undefined;

// Takes a new prompt or new sliders; what was before can be undone.
function commit(change) {
  past.push({ prompt, view: before ?? view });
  before = null;
  future = [];
  if (change.prompt) prompt = change.prompt;
  if (change.view) view = change.view;
  return refresh();
}

function travel(from, to) {
  const there = from.pop();
  if (!there) return;
  to.push({ prompt, view });
  ({ prompt, view } = there);
  $('text').value = prompt.text;
  refresh();
}

async function refresh() {
  sift();
  waiting = isStale() ? call(photo.naming).then(pick) : pick();
  await waiting;
}

// Whether other masks stay than those that have their names from the vocabulary.
const isStale = () => Boolean(photo.naming) && photo.naming.among.join() !== kept(photo.segments, view).join();

// Gives the masks that stay their names: each object once, or every mask.
async function call({ words, all }) {
  const one = photo, naming = { words, all, among: kept(one.segments, view) };
  working(null, 'Naming…');
  try {
    const names = await withPhoto((id) => api.name(id, naming));
    if (one !== photo) return;
    one.naming = naming;
    rename(one, names);
    fail('');
    sift();
  } catch (error) {
    if (one === photo) fail(error.message);
  } finally {
    if (one === photo) working();
  }
}

function rename(one, names) {
  names.forEach((name, i) => Object.assign(one.segments[i], { name: name ?? 'object', named: name !== null }));
}

// A prompt of points and a box as the service reads it.
function asking({ points, labels, box, before: drawn }) {
  const one = { points, labels, ...(box ? { box } : {}), ...(view.exact && drawn ? { mask: drawn.segmentation } : {}) };
  return { prompts: [one], among: photo.indices, ...(view.exact ? {} : { refine: false }) };
}

// What to show until the answer comes: the mask under the first click, or the one whose box fits the drawn one best.
function early(wanted) {
  let index = -1;
  if (wanted.box) {
    const fit = (i) => overlap(photo.segments[i].box, wanted.box);
    index = photo.indices.reduce((best, i) => (fit(i) >= 0.5 && (best < 0 || fit(i) > fit(best)) ? i : best), -1);
  } else if (wanted.points.length) {
    index = under(wanted.points[0]) - 1;
  }
  return index < 0 ? null : { of: wanted, candidates: [{ ...photo.segments[index], rank: 0 }], at: 0, early: true };
}

async function pick() {
  const mine = ++asked, wanted = prompt;
  $('picked').setAttribute('aria-busy', 'false');
  if (isEmpty(wanted)) { answer = null; fail(''); show(); return; }
  if (wanted.mask !== undefined) {
    answer = photo.indices.includes(wanted.mask) ? { of: wanted, candidates: [photo.segments[wanted.mask]], at: 0 } : null;
    show();
    return;
  }
  $('picked').setAttribute('aria-busy', 'true');
  const body = wanted.text ? { texts: [wanted.text], among: photo.indices } : asking(wanted);
  if (wanted.text) working(null, 'Reading…');
  else if (!follows(wanted)) { answer = early(wanted); showAnswer(); }
  try {
    const [found] = await withPhoto((id) => api.select(id, body));
    if (mine !== asked) return;
    fail('');
    answer = found && { of: wanted, ...ordered(found) };
  } catch (error) {
    if (mine !== asked) return;
    answer = null;
    fail(error.message);
  } finally {
    if (mine === asked) { working(); $('picked').setAttribute('aria-busy', 'false'); }
  }
  show();
}

// Candidates from part to whole, the best one shown first; every match of a text.
function ordered(found) {
  const size = (c) => (c.plus ?? [c.index]).reduce((sum, i) => sum + photo.segments[i].area, 0);
  const shown = (c) => (c.segmentation ? { runs: runs(c.segmentation.counts) } : { area: size(c) });
  const candidates = found.candidates.map((c, rank) => ({ ...c, ...shown(c), rank }));
  if (found.matches) return { candidates, at: 0, all: found.matches };
  const best = candidates[0];
  candidates.sort((a, b) => a.area - b.area);
  return { candidates, at: candidates.indexOf(best) };
}

function step(by) {
  if (!answer || answer.all || answer.early || !answer.candidates[answer.at + by]) return false;
  answer.at += by;
  showAnswer();
  return true;
}

function point(at, label) {
  const plain = prompt.text || prompt.mask !== undefined ? NOTHING : prompt;
  if (!label && !plain.points.length && !plain.box) { fail('A negative point needs something to take from: click what you mean first.'); return; }
  const wanted = { ...plain, points: [...plain.points, at], labels: [...plain.labels, label] };
  const drawn = answer?.of === plain ? answer.candidates[answer.at] : null;
  if (drawn?.segmentation && drawn.how === 'drawn') wanted.before = { prompt: plain, view: before ?? view, found: photo.found, rank: drawn.rank, segmentation: drawn.segmentation };
  commit({ prompt: wanted });
}

// Whether a prompt is that of what is shown, or adds points to it: it then stays until the answer comes.
function follows(wanted) {
  const old = answer?.of;
  if (!old || old === wanted) return Boolean(old);
  return Boolean(old.points.length || old.box) && old.box === wanted.box && old.points.every((one, k) => one === wanted.points[k]);
}

// ---------------------------------------------------------------------------------------------- pointer and keys

function place(event) {
  const box = $('picked').getBoundingClientRect(), round = (v, most) => Math.min(most - 0.5, Math.max(0.5, Math.floor(v) + 0.5));
  return [round((event.clientX - box.left) / box.width * photo.width, photo.width), round((event.clientY - box.top) / box.height * photo.height, photo.height)];
}

function under([x, y]) {
  const { w, h, width, height } = photo.place;
  return photo.labels[Math.min(h - 1, Math.floor(y * h / height)) * w + Math.min(w - 1, Math.floor(x * w / width))];
}

$('picked').addEventListener('pointerdown', (event) => {
  if (event.button !== 0 || !event.isPrimary) return;
  const at = place(event);
  press = { at, x: event.clientX, y: event.clientY, before: { prompt, length: past.length } };
  cursor = null;
  $('picked').setPointerCapture(event.pointerId);
  point(at, event.shiftKey ? 0 : sign);  // the answer is there before the finger is up
});

$('picked').addEventListener('pointermove', (event) => {
  if (!event.isPrimary) return;
  if (press && Math.hypot(event.clientX - press.x, event.clientY - press.y) > DRAG) press.drags = true;
  if (press?.drags) {
    const [a, b] = [press.at, place(event)];
    press.box = [Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[0], b[0]), Math.max(a[1], b[1])].map(Math.round);
    showAnswer();
    return;
  }
  const found = under(place(event));
  if (found !== hover) { hover = found; if (!answer || event.pointerType === 'mouse') showAnswer(); }
});

$('picked').addEventListener('pointerup', () => {
  const box = press?.box;
  if (!box) { press = null; return; }
  takeBack();
  if (box[0] >= box[2] || box[1] >= box[3]) { refresh(); return; }
  $('text').value = '';
  commit({ prompt: { ...NOTHING, box } });
});

$('picked').addEventListener('pointercancel', () => { if (press) { takeBack(); refresh(); } });  // two fingers enlarge the page
$('picked').addEventListener('pointerleave', () => { if (!press) { hover = 0; showAnswer(); } });

$('picked').addEventListener('keydown', (event) => {
  const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  if (event.key === 'Tab' && !event.ctrlKey && step(event.shiftKey ? -1 : 1)) event.preventDefault();
  else if (event.key === 'Escape' && !isEmpty(prompt)) clear();
  else if (moves[event.key]) {
    event.preventDefault();
    const far = Math.max(photo.width, photo.height) / (event.shiftKey ? 200 : 40);
    const [x, y] = cursor ?? [photo.width / 2, photo.height / 2];
    const move = (v, by, most) => Math.min(most - 0.5, Math.max(0.5, Math.floor(v + by * far) + 0.5));
    cursor = [move(x, moves[event.key][0], photo.width), move(y, moves[event.key][1], photo.height)];
    hover = under(cursor);
    showAnswer();
  } else if (event.key === 'Enter' && cursor) point(cursor, event.shiftKey ? 0 : sign);
});

document.addEventListener('keydown', (event) => {
  const typing = event.target.matches?.('input[type="text"], input[type="search"]');
  if (!photo || typing || !(event.ctrlKey || event.metaKey)) return;
  const key = event.key.toLowerCase();
  if (key === 'z' || key === 'y') {
    event.preventDefault();
    if (key === 'y' || event.shiftKey) travel(future, past); else travel(past, future);
  }
});

function clear() {
  $('text').value = '';
  commit({ prompt: NOTHING });
}

// The point that a press set is none after all.
function takeBack() {
  past.length = press.before.length;
  prompt = press.before.prompt;
  press = null;
}

// ---------------------------------------------------------------------------------------------- panel

$('words').addEventListener('submit', (event) => {
  event.preventDefault();
  const text = $('text').value.trim();
  if (text) commit({ prompt: { ...NOTHING, text } });
});

$('naming').addEventListener('submit', async (event) => {
  event.preventDefault();
  const words = $('vocabulary').value.split(',').map((word) => word.trim()).filter(Boolean);
  if (words.length) { await call({ words, all: $('every').checked }); refresh(); }
});
$('every').addEventListener('change', async () => { if (photo?.naming) { await call({ ...photo.naming, all: $('every').checked }); refresh(); } });
$('only').addEventListener('change', () => photo && refresh());

for (const key of ['conf', 'iou', 'area']) {
  const value = () => {
    const set = +$(key).value;
    return key !== 'area' ? set : set ? Math.round((photo.width * photo.height) ** (set / 100)) : 0;
  };
  $(key).addEventListener('input', () => {
    before ??= view;
    view = { ...view, [key]: value() };
    sift();
  });
  $(key).addEventListener('change', () => {
    if (!before) return;
    const now = view;
    view = before;
    before = null;
    commit({ view: now });
  });
}

$('exact').addEventListener('change', () => photo && commit({ view: { ...view, exact: $('exact').checked } }));
$('redrawn').addEventListener('change', () => photo && redraw());

$('candidates').addEventListener('click', (event) => {
  const button = event.target.closest('button');
  if (!button) return;
  step(+button.dataset.candidate - answer.at);
  $('candidates').querySelectorAll('button')[answer.at].focus();
});

for (const id of ['opacity', 'outlines', 'masks']) $(id).addEventListener('input', () => photo && show());
$('colours').addEventListener('change', () => photo && sift());

$('list').addEventListener('click', (event) => {
  const button = event.target.closest('button');
  if (button) { $('text').value = ''; commit({ prompt: { ...NOTHING, mask: +button.dataset.index } }); focusRow(button.dataset.index); }
});
for (const kind of ['pointerover', 'focusin']) {
  $('list').addEventListener(kind, (event) => {
    const button = event.target.closest('button');
    if (button && !answer) { hover = +button.dataset.index + 1; showAnswer(); }
  });
}
for (const kind of ['pointerleave', 'focusout']) $('list').addEventListener(kind, () => { if (photo) { hover = 0; showAnswer(); } });

const focusRow = (index) => $('list').querySelector(`[data-index="${index}"]`)?.focus();

for (const [id, value] of [['positive', 1], ['negative', 0]]) {
  $(id).addEventListener('click', () => {
    sign = value;
    $('positive').setAttribute('aria-pressed', String(sign === 1));
    $('negative').setAttribute('aria-pressed', String(sign === 0));
  });
}
$('part').addEventListener('click', () => step(-1));
$('whole').addEventListener('click', () => step(1));
$('clear').addEventListener('click', clear);
$('undo').addEventListener('click', () => travel(past, future));
$('redo').addEventListener('click', () => travel(future, past));

for (const button of document.querySelectorAll('[data-format]')) {
  button.addEventListener('click', async () => {
    working(null, 'Writing…');
    await waiting;  // what is saved is what will be shown
    const candidate = answer?.candidates[answer.at];
    let body = { among: photo.indices };
    if (candidate && answer.all) body.texts = [prompt.text];  // among the same masks: what answers has its name from the text
    else if (candidate && (candidate.how ?? 'mask') === 'mask') body.among = [candidate.index];
    else if (candidate) body = { ...asking(prompt), rank: candidate.rank };
    body.format = button.dataset.format;
    try {
      const { blob, name } = await withPhoto((id) => api.file(id, body));
      const link = Object.assign(document.createElement('a'), { href: URL.createObjectURL(blob), download: name });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10000);
      fail('');
    } catch (error) {
      fail(error.message);
    } finally {
      working();
    }
  });
}

$('copy').addEventListener('click', async () => {
  try {
    await navigator.clipboard.writeText($('code').textContent);
    $('copy').textContent = 'Copied';
    setTimeout(() => { $('copy').textContent = 'Copy'; }, 1500);
  } catch {
    getSelection().selectAllChildren($('code'));  // where a page may not write to the clipboard
  }
});

// ---------------------------------------------------------------------------------------------- photos come in

const browse = () => $('file').click();
$('choose').addEventListener('click', browse);
$('browse').addEventListener('click', browse);
$('file').addEventListener('change', () => { open($('file').files[0]); $('file').value = ''; });

for (const button of document.querySelectorAll('[data-example]')) {
  button.addEventListener('click', async () => {
    const name = button.dataset.example;
    try {
      open(new File([await api.example(name)], name, { type: 'image/jpeg' }));
    } catch (error) {
      fail(error.message);
    }
  });
}

let dragged = 0;
addEventListener('dragenter', (event) => { event.preventDefault(); dragged += 1; $('dropping').hidden = false; });
addEventListener('dragleave', () => { dragged -= 1; if (dragged <= 0) $('dropping').hidden = true; });
addEventListener('dragover', (event) => event.preventDefault());
addEventListener('drop', (event) => {
  event.preventDefault();
  dragged = 0;
  $('dropping').hidden = true;
  const [file] = event.dataTransfer.files;
  if (file) open(file); else fail('What was dropped is no file.');
});
addEventListener('paste', (event) => {
  const file = [...(event.clipboardData?.files ?? [])].find((f) => f.type.startsWith('image/'));
  if (file) open(file);
});
addEventListener('resize', () => photo && showAnswer());
addEventListener('pagehide', () => photo && api.forget(photo.id));

// ---------------------------------------------------------------------------------------------- what is said

function working(share, text) {
  $('working').hidden = text === undefined;
  if (text === undefined) return;
  $('doing').textContent = text;
  if (share === null) $('progress').removeAttribute('value'); else $('progress').value = share;
}

function fail(text) {
  $('error').hidden = !text;
  $('error').querySelector('span').textContent = text;
}
$('error').querySelector('button').addEventListener('click', () => fail(''));

$('theme').addEventListener('click', () => {
  const dark = (document.documentElement.dataset.theme ?? (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light')) === 'dark';
  document.documentElement.dataset.theme = dark ? 'light' : 'dark';
});

async function begin() {
  working(null, 'Loading the network…');
  try {
    own = await api.about();
    $('facts').textContent = own.model;
    if (!own.words) for (const id of ['words', 'naming']) $(id).hidden = true;
  } catch (error) {
    fail(error.message);
  }
  working();
}

const begun = begin();
