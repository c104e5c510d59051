// Annotations to and from other programs, and the command that trains on them.

import { showAnswer } from './drawing.js';
import * as engine from './engine.js';
import { commit } from './history.js';
import { learn, make } from './objects.js';
import { counted, fileOf, store } from './photos.js';
import { $, fail, working } from './say.js';
import { now } from './state.js';
import { saved } from './save.js';
import { drawStrip } from './strip.js';

// All that is kept, as one file. The folder's server reads its own; what a browser keeps is given to the engine.
$('export').addEventListener('click', async () => {
  const format = $('export-format').value;
  working(null, 'Writing…');
  try {
    await Promise.all(now.items.map((one) => one.saving));
    const { blob, name } = store.exported ? await store.exported(format) : await engine.exported(await all(format));
    saved(blob, name);
    fail('');
  } catch (error) {
    fail(error.message);
  } finally {
    working();
  }
});

async function all(format) {
  const photos = [];
  for (const { name } of now.items) {
    const found = await store.labels(name);
    if (found) photos.push({ name, width: found.width, height: found.height, done: found.done, objects: found.objects });
  }
  return { format, classes: now.kinds, photos };
}

$('import').addEventListener('click', () => $('import-file').click());
$('import-file').addEventListener('change', async () => {
  const files = [...$('import-file').files];
  $('import-file').value = '';
  if (!files.length) return;
  working(null, 'Reading…');
  try {
    const find = finder(), first = await engine.imported(files), sizes = await sizesOf(first.unsized, find);
    const { photos, unsized } = Object.keys(sizes).length ? await engine.imported(files, sizes) : first;
    fail(await taken(photos, unsized, find));
  } catch (error) {
    fail(files.length > 1 ? error.message : `${files[0].name}: ${error.message}`);
  } finally {
    working();
  }
});

// What finds a photo by the name that a file of annotations has for it: a path, of which the project may have the end alone;
// or without the suffix, as YOLO and VOC have it; or after the letters that Label Studio puts before it.
function finder() {
  const paths = new Map(), bases = new Map();
  for (const item of now.items) {
    const plain = item.name.replace(/\.[^./]+$/, '');
    for (const path of [item.name, plain]) if (!paths.has(path)) paths.set(path, item);
    for (const path of [item.name, plain]) { const base = path.split('/').pop(); if (!bases.has(base)) bases.set(base, item); }
  }
  const ends = (parts) => parts.map((_, k) => parts.slice(k).join('/'));
  return (name) => {
    const parts = name.split(/[\\/]/), base = parts.at(-1);
    for (const end of ends(parts)) if (paths.has(end)) return paths.get(end);
    return bases.get(base) ?? bases.get(base.replace(/^[0-9a-f]{8}-/, '')) ?? null;
  };
}

// [width, height] of the photos of these names, as far as this browser can tell.
async function sizesOf(names, find) {
  const found = {};
  for (const name of names) {
    const item = find(name);
    if (!item) continue;
    try {
      const kept = await store.labels(item.name), picture = kept ?? await createImageBitmap(await fileOf(item));
      found[name] = [picture.width, picture.height];
      picture.close?.();
    } catch { /* of a type that this browser does not show: it is said as not found */ }
  }
  return found;
}

// Puts what was read beside what is kept of each photo; returns what must be said.
async function taken(photos, unsized, find) {
  const unknown = [...unsized];
  for (const [k, { name, width, height, objects }] of photos.entries()) {
    working(k / photos.length, 'Keeping…');
    const item = find(name);
    if (!item) { unknown.push(name); continue; }
    for (const one of objects) learn(one.name);
    if (item === now.item) {
      if (now.photo.width !== width || now.photo.height !== height) { unknown.push(`${name}, which has another size`); continue; }
      commit({ objects: [...now.objects, ...objects.map((one) => make(one.name, one.counts, { hidden: one.hidden, locked: one.locked }))] });
      continue;
    }
    const old = await store.labels(item.name);
    if (old?.objects.length && (old.width !== width || old.height !== height)) { unknown.push(`${name}, which has another size`); continue; }
    const every = [...(old?.objects ?? []), ...objects];
    item.version = await store.save(item.name, { width, height, done: old?.done ?? false, objects: every }, old?.version ?? null);
    item.counts = counted(every);
    item.state = old?.done ? 'done' : 'work';
  }
  store.setKinds(now.kinds).catch(() => {});
  showAnswer();
  drawStrip();
  const some = unknown.slice(0, 3).join(', ');
  return unknown.length ? `Not found among the photos: ${some}${unknown.length > 3 ? ` and ${unknown.length - 3} more` : ''}.` : '';
}
