// All photos of a project, which one is open, and what is saved of it.
//
// An item: { name, state: new, work or done, version: that was read or saved last, saved: the objects at that time, done,
// counts: { class: number of its objects }, saving: the promise of the last save }. The store is the folder of the server where it has one, and else this browser.

import { showAnswer } from './drawing.js';
import { make, learn } from './objects.js';
import { open } from './photo.js';
import { refresh } from './prompts.js';
import { $, fail } from './say.js';
import { drawStrip } from './strip.js';
import { NOTHING, now } from './state.js';
import * as browser from './store/browser.js';
import * as folder from './store/folder.js';

export let store = browser;

// Finds the project that is there: that of the server, or what this browser kept.
async function begin() {
  if (await folder.isThere()) store = folder;
  $('saved').hidden = false;
  try {
    const [found, kinds] = await Promise.all([store.photos(), store.kinds()]);
    now.kinds = kinds;
    now.items = [...found.map((one) => ({ ...one, version: null, saving: Promise.resolve() })), ...now.items];
    if (!store.canAdd) for (const id of ['choose', 'discard', 'welcome-text', 'examples']) $(id).hidden = true;
    drawStrip();
    store.counts().then(tell).catch(() => {});  // of thousands of photos that takes a while
    if (now.items.length && !now.opened) go(Math.max(0, now.items.findIndex((one) => one.state !== 'done')));
  } catch (error) {
    fail(error.message);
  }
}

// Takes how many objects of each class the photos have, but for those that were opened meanwhile.
function tell(counts) {
  for (const item of now.items) {
    item.counts ??= counts[item.name];
    for (const name of Object.keys(item.counts ?? {})) learn(name);
  }
  if (now.photo) showAnswer();
}

export const counted = (objects) => objects.reduce((found, { name }) => ({ ...found, [name]: (found[name] ?? 0) + 1 }), {});

// How many objects of a class the other photos have.
export const elsewhere = (name) => now.items.reduce((sum, item) => sum + (item === now.item ? 0 : item.counts?.[name] ?? 0), 0);

// Gives a class another name in all photos that are kept.
export async function renameStored(from, to) {
  await Promise.all(now.items.map((one) => one.saving.catch(() => {})));
  const waits = now.items.find((one) => one.unsaved);
  if (waits) throw new Error(`${waits.name} is not saved yet: rename the class once it is`);
  const changed = await store.rename(from, to);
  for (const item of now.items) {
    const [old, fresh] = changed[item.name] ?? [];
    if (fresh && item.version === old) item.version = fresh;
    if (!item.counts || !(from in item.counts)) continue;
    const { [from]: n, ...rest } = item.counts;
    item.counts = { ...rest, [to]: n };
  }
}

// Adds photos, and opens the first of them.
export async function add(files) {
  await ready;
  if (!store.canAdd) { fail('This project is a folder of the server: put the photos there.'); return; }
  const fresh = [];
  for (const file of files) {
    let name = file.webkitRelativePath || file.path || file.name || 'photo';
    for (let k = 2, stem = name; now.items.some((one) => one.name === name); k++) name = `${stem} (${k})`;
    const item = { name, state: 'new', version: null, saving: Promise.resolve(), own: file };
    now.items.push(item);
    fresh.push(item);
    if (fresh.length === 1) go(now.items.length - 1);
    item.keeping = store.add(file, name).catch((error) => fail(`${name}: ${error.message}`));
  }
  drawStrip();
}

export const fileOf = async (item) => item.own ?? store.file(item.name);

// What is kept of a photo, as objects. Raises an Error if it is not of this size.
export async function labelsOf(item, width, height) {
  await item.saving.catch(() => {});
  const found = item.unsaved ?? await store.labels(item.name);
  if (!item.unsaved) item.version = found?.version ?? null;
  item.done = found?.done ?? false;
  if (!found?.objects.length) return [];
  if (found.width !== width || found.height !== height) {
    throw new Error(`its annotations are of ${found.width} × ${found.height} pixels, the photo has ${width} × ${height}: move them away or mend them`);
  }
  const kinds = now.kinds.length;
  const objects = found.objects.map(({ name, counts, hidden, locked }) => { learn(name); return make(name, counts, { hidden, locked }); });
  if (now.kinds.length !== kinds) store.setKinds(now.kinds).catch(() => {});
  return objects;
}

export async function go(k) {
  if (k < 0 || k >= now.items.length) return;
  await open(now.items[k]);
  drawStrip();
}
export const step = (by) => go(now.items.indexOf(now.item) + by);

// Saves what is kept of the open photo if that has changed. One save of a photo follows the other, the last state wins.
export function save() {
  const { item, objects, photo } = now;
  if (!item || item.saved === objects && item.savedDone === item.done) return;
  item.saved = objects;
  item.savedDone = item.done;
  item.counts = counted(objects);
  item.state = item.done ? 'done' : objects.length ? 'work' : 'new';
  drawStrip();
  $('saved').textContent = 'Saving…';
  const made = {
    width: photo.width, height: photo.height, done: item.done,
    objects: objects.map(({ name, counts, hidden, locked }) => ({ name, counts, hidden, locked })),
  };
  item.saving = item.saving.catch(() => {}).then(() => write(item, made, objects));
  item.saving.catch(() => {});
}

async function write(item, made, objects) {
  if (item.saved !== objects) return;  // a later state is on its way
  try {
    await item.keeping;
    item.version = await store.save(item.name, made, item.version);
    if (item.saved === objects) $('saved').textContent = 'Saved';
    item.unsaved = null;
  } catch (error) {
    item.unsaved = made;
    $('saved').textContent = 'Not saved';
    if (error.status === 409) { $('conflict').hidden = false; $('conflict').dataset.item = item.name; return; }
    fail(`${item.name} is not saved: ${error.message}`);
    setTimeout(() => { if (item.unsaved === made && item.saved === objects) item.saving = write(item, made, objects); }, 3000);
  }
}

const contested = () => now.items.find((one) => one.name === $('conflict').dataset.item);

// Two saved the same photo: the person says whose work stays.
export async function settle(mine) {
  const item = contested(), made = item.unsaved;
  $('conflict').hidden = true;
  item.unsaved = null;
  if (!mine) { await reload(item); return; }
  item.version = (await store.labels(item.name))?.version ?? null;
  item.saving = write(item, made, item.saved);
}

// What the store has of a photo, in place of what is shown of it.
async function reload(item) {
  if (item !== now.item) return;
  try {
    const objects = await labelsOf(item, now.photo.width, now.photo.height);
    Object.assign(now, { objects, chosen: [], renames: [], past: [], future: [], prompt: NOTHING });
    Object.assign(item, { saved: objects, savedDone: item.done, counts: counted(objects), state: item.done ? 'done' : objects.length ? 'work' : 'new' });
    $('saved').textContent = 'Saved';
    drawStrip();
    refresh();
  } catch (error) {
    fail(error.message);
  }
}

export function toggleDone() {
  if (!now.item) return;
  now.item.done = !now.item.done;
  save();
}

// Takes the open photo and its objects out of this browser.
export async function discard() {
  const { item } = now, k = now.items.indexOf(item);
  if (!item || !confirm(`Remove ${item.name} and its objects from this browser? This cannot be undone.`)) return;
  await item.saving.catch(() => {});
  await store.drop(item.name);
  now.items.splice(k, 1);
  if (!now.items.length) { location.reload(); return; }
  drawStrip();
  go(Math.min(k, now.items.length - 1));
}

export async function saveKinds() {
  try { await store.setKinds(now.kinds); } catch (error) { fail(`The classes are not saved: ${error.message}`); }
}

addEventListener('beforeunload', (event) => { if (now.items.some((one) => one.unsaved) || $('saved').textContent === 'Saving…') event.preventDefault(); });

export const ready = begin();
