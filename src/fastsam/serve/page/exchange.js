// Annotations to and from other programs, and the command that trains on them.

import * as engine from './engine.js';
import { commit } from './history.js';
import { learn, make } from './objects.js';
import { store } from './photos.js';
import { $, fail, working } from './say.js';
import { now } from './state.js';
import { saved } from './save.js';

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
  const [file] = $('import-file').files;
  $('import-file').value = '';
  if (!file) return;
  working(null, 'Reading…');
  try {
    fail(await taken(await engine.imported(file)));
  } catch (error) {
    fail(`${file.name}: ${error.message}`);
  } finally {
    working();
  }
});

// Puts what was read beside what is kept of each photo; returns what must be said.
async function taken(photos) {
  const base = (name) => name.split(/[\\/]/).pop(), unknown = [];
  for (const { name, width, height, objects } of photos) {
    const item = now.items.find((one) => one.name === name) ?? now.items.find((one) => base(one.name) === base(name));
    if (!item) { unknown.push(name); continue; }
    for (const one of objects) learn(one.name);
    if (item === now.item) {
      if (now.photo.width !== width || now.photo.height !== height) { unknown.push(`${name}, which has another size`); continue; }
      commit({ objects: [...now.objects, ...objects.map((one) => make(one.name, one.counts, { hidden: one.hidden, locked: one.locked }))] });
      continue;
    }
    const old = await store.labels(item.name);
    if (old?.objects.length && (old.width !== width || old.height !== height)) { unknown.push(`${name}, which has another size`); continue; }
    item.version = await store.save(item.name, { width, height, done: old?.done ?? false, objects: [...(old?.objects ?? []), ...objects] }, old?.version ?? null);
    item.state = old?.done ? 'done' : 'work';
  }
  store.setKinds(now.kinds).catch(() => {});
  const some = unknown.slice(0, 3).join(', ');
  return unknown.length ? `Not found among the photos: ${some}${unknown.length > 3 ? ` and ${unknown.length - 3} more` : ''}.` : '';
}
