// The photo: sent to the engine, shown, and sent once more if the engine has forgotten it.

import * as ahead from './ahead.js';
import * as engine from './engine.js';
import { grid, kept, runs } from './masks.js';
import { rename } from './naming.js';
import { counted, fileOf, labelsOf, save } from './photos.js';
import { refresh } from './prompts.js';
import { $, fail, working } from './say.js';
import { sift } from './sift.js';
import { NOTHING, now } from './state.js';
import { drawStrip } from './strip.js';
import { reset } from './zoom.js';

const MOST = 1600;  // canvas pixels of the longer side of masks
const SHARP = 4096;  // and of the photo

export async function open(item) {
  const mine = ++now.opened, again = item === now.item;  // what is kept of the photo that is open is here, not in the store
  fail('');
  await begun;
  if (mine !== now.opened || !now.own) return;
  const found = { conf: Math.max(0.005, +(now.own.conf / 3).toFixed(3)), iou: 0.9, max_det: 600 };
  working(0, 'Sending…');
  let result, picture, objects, file;
  try {
    ({ file, result } = await ahead.taken(item, found) ?? {});
    file ??= await fileOf(item);
    result ??= await engine.segment(file, found, (share) => mine === now.opened && working(share, share === null ? 'Looking for objects…' : 'Sending…'));
    [picture, objects] = await Promise.all([pixels(file, result), again ? null : labelsOf(item, result.width, result.height)]);
  } catch (error) {
    if (result) engine.forget(result.id);
    if (mine === now.opened) { working(); fail(`${item.name}: ${error.message}`); }
    return;
  }
  if (mine !== now.opened) { engine.forget(result.id); return; }
  if (now.photo) engine.forget(now.photo.id);
  now.asked += 1;
  objects ??= now.objects;
  const place = grid(result.width, result.height, MOST);
  now.photo = { file, id: result.id, name: result.name, width: result.width, height: result.height, segments: ready(result), found, place };
  Object.assign(now, {
    item, objects, chosen: [], view: { conf: now.own.conf, iou: Math.min(now.own.iou, found.iou), area: 0, exact: true, level: now.view.level }, prompt: NOTHING,
    answer: null, renames: [], past: [], future: [], hover: 0, cursor: null, press: null, before: null, stroke: null,
  });
  if (!again) Object.assign(item, { saved: objects, savedDone: item.done, counts: counted(objects) });
  $('redrawn').checked = false;
  $('masks').checked = !objects.length;
  $('picked').setAttribute('aria-busy', 'false');
  for (const id of ['everything', 'kept', 'picked']) Object.assign($(id), { width: place.w, height: place.h });
  const sharp = Math.min(1, SHARP / Math.max(result.width, result.height));
  Object.assign($('photo'), { width: Math.round(result.width * sharp) || 1, height: Math.round(result.height * sharp) || 1 });
  $('photo').getContext('2d').drawImage(picture, 0, 0, $('photo').width, $('photo').height);
  $('stage').style.setProperty('--ratio', place.w / place.h);
  $('welcome').hidden = true; $('stage').hidden = false; $('panel').hidden = false;
  $('facts').textContent = `${result.name} · ${result.width} × ${result.height} · network ${Math.round(1000 * result.seconds.network)} ms`;
  $('text').value = '';
  if (!again) $('saved').textContent = objects.length ? 'Saved' : '';
  working();
  sift();
  reset();
  drawStrip();
  if (item.unsaved && !again) { item.saved = null; save(); }
  $('picked').focus({ preventScroll: true });
  document.dispatchEvent(new Event('opened'));
  ahead.prepare(found);
}

// The segments of an answer, as the page needs them.
const ready = (result) => result.segments.map((s) => ({ ...s, runs: runs(s.segmentation.counts), category: s.category_id }));

// Everything once more, every mask drawn anew or as the first network found it. Prompts stay, but no picked mask does.
export async function redraw() {
  const one = now.photo, mine = ++now.opened, found = { ...one.found };
  if ($('redrawn').checked) found.refine = true; else delete found.refine;
  working(null, found.refine ? 'Drawing every mask…' : 'Looking for objects…');
  try {
    const result = await engine.segment(one.file, found, () => {});
    if (mine !== now.opened) { engine.forget(result.id); return; }
    const segments = ready(result), names = one.naming && await engine.name(result.id, { ...one.naming, among: kept(segments, now.view) });
    if (mine !== now.opened) { engine.forget(result.id); return; }
    engine.forget(one.id);
    Object.assign(one, { id: result.id, segments, found });
    if (names) { one.naming.among = kept(segments, now.view); rename(one, names); }
    if (now.prompt.mask !== undefined) now.prompt = NOTHING;
    now.past = []; now.future = []; now.hover = 0; now.answer = null;
    fail('');
    refresh();
  } catch (error) {
    if (mine !== now.opened) return;
    $('redrawn').checked = Boolean(one.found.refine);
    fail(error.message);
  } finally {
    if (mine === now.opened) working();
  }
}

// The photo as the service sees it: the browser's own reading where it has the same size.
async function pixels(file, { id, width, height }) {
  try {
    const bitmap = await createImageBitmap(file);
    if (bitmap.width === width && bitmap.height === height) return bitmap;
  } catch { /* of a type that this browser does not show */ }
  return createImageBitmap((await engine.file(id, { format: 'overlay', among: [] })).blob);
}

// The same request once more where the service has forgotten the photo meanwhile. Nothing where the page has.
export async function withPhoto(call) {
  const one = now.photo;
  try {
    return await call(one.id);
  } catch (error) {
    if (error.status !== 404 || one !== now.photo) throw error;
    one.id = (await engine.segment(one.file, one.found, () => {})).id;
    if (one.naming) await engine.name(one.id, one.naming);
    return call(one.id);
  }
}

// Asks the engine for its settings once.
async function begin() {
  working(null, 'Loading the network…');
  try {
    now.own = await engine.about();
    $('facts').textContent = now.own.model;
    if (!now.own.words) for (const id of ['words', 'naming']) $(id).hidden = true;
    for (const button of document.querySelectorAll('[data-format]')) button.hidden = !(now.own.formats?.includes(button.dataset.format) ?? true);
    for (const option of $('export-format').options) option.hidden = option.disabled = !(now.own.exports?.includes(option.value) ?? true);
    $('import').hidden = now.own.imports === false;
  } catch (error) {
    fail(error.message);
  }
  working();
}

const begun = begin();
