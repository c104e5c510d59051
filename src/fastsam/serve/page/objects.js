// What is kept of a photo: proposals become objects, and what can be done with them. Every change is one step of history.

import { commit } from './history.js';
import { runs } from './masks.js';
import { bitmap, encode, holds, letters, size } from './pixels.js';
import { $, fail } from './say.js';
import { NOTHING, now } from './state.js';

let last = 0;

// An object. counts: COCO's letters
export function make(name, counts, rest = {}) {
  const lengths = runs(counts);
  return Object.freeze({ id: ++last, name, counts, runs: lengths, area: size(lengths), hidden: false, locked: false, ...rest });
}

// The same object with another mask, null if nothing is left of it.
export function redrawn(object, pixels) {
  const lengths = encode(pixels), area = size(lengths);
  return area ? Object.freeze({ ...object, runs: lengths, counts: letters(lengths), area }) : null;
}

export const kindName = () => now.kinds[now.kind] ?? 'object';

// Makes sure that a class is known.
export function learn(name) {
  if (!now.kinds.includes(name)) now.kinds = [...now.kinds, name];
}

// Keeps what answers, with the current class; a correction takes the place of what it corrects.
export function accept() {
  const { answer, prompt, photo } = now, candidate = answer?.candidates[answer.at];
  if (!candidate || answer.early) { fail('Nothing to accept: click an object first.'); return; }
  const rows = answer.all ?? [candidate], name = answer.all ? prompt.text : kindName();
  if (prompt.object) {
    const counts = counted(candidate);
    commit({ objects: now.objects.map((o) => (o.id === prompt.object ? make(o.name, counts, { id: o.id, hidden: o.hidden }) : o)), prompt: NOTHING, chosen: [] });
    return;
  }
  if (photo) { learn(name); add(rows.map((row) => make(named(row) ?? name, counted(row)))); }
}

// A proposal's own name where a vocabulary gave one.
const named = (row) => (row.index !== null && now.photo.segments[row.index]?.named ? now.photo.segments[row.index].name : null);

// Keeps all proposals that are shown.
export function acceptAll() {
  add(now.photo.shown.map((i) => now.photo.segments[i]).map((row) => make(named(row) ?? kindName(), row.segmentation.counts)));
}

function add(fresh) {
  if (!now.objects.length) $('masks').checked = false;  // what is kept is what one looks at from now on
  for (const { name } of fresh) learn(name);
  commit({ objects: [...now.objects, ...fresh], prompt: NOTHING, chosen: [] });
}

// COCO's letters of a row or candidate.
export function counted(row) {
  if (row.segmentation) return row.segmentation.counts;
  const { segments, width, height } = now.photo, found = new Uint8Array(width * height);
  const each = (indices, value) => indices.forEach((i) => bitmap(segments[i].runs, width, height).forEach((on, p) => { if (on) found[p] = value; }));
  each(row.plus ?? [row.index], 1);
  each(row.minus ?? [], 0);
  return letters(encode(found));
}

const free = () => now.objects.filter((o) => now.chosen.includes(o.id) && !o.locked);

// Those that are chosen and not locked, with a message where there are none.
function some(what) {
  const found = free();
  if (!found.length) fail(now.chosen.length ? `A locked object cannot be ${what}: unlock it first.` : `Nothing is chosen to be ${what}: choose an object in the list.`);
  return found;
}

const replace = (from, to) => now.objects.flatMap((o) => (from.includes(o) ? to(o) ?? [] : [o]));

export function remove() {
  const gone = some('deleted');
  if (gone.length) commit({ objects: replace(gone, () => null), chosen: [], prompt: NOTHING });
}

export function rename(name) {
  const them = some('renamed');
  learn(name);
  if (them.length) commit({ objects: replace(them, (o) => Object.freeze({ ...o, name })) });
}

// One object of several, in the place and with the class of the first.
export function merge() {
  const them = some('merged');
  if (them.length < 2) { if (them.length) fail('Choose two objects or more to merge: Ctrl-click adds one.'); return; }
  const { width, height } = now.photo, found = bitmap(them[0].runs, width, height);
  for (const o of them.slice(1)) bitmap(o.runs, width, height).forEach((on, p) => { if (on) found[p] = 1; });
  commit({ objects: replace(them, (o) => (o === them[0] ? redrawn(o, found) : null)), chosen: [them[0].id], prompt: NOTHING });
}

// Hides or locks those that are chosen, or shows and frees them if all are already.
export function toggle(key) {
  const them = now.objects.filter((o) => now.chosen.includes(o.id)), on = !them.every((o) => o[key]);
  if (them.length) commit({ objects: replace(them, (o) => Object.freeze({ ...o, [key]: on })) });
}

// Moves the one that is chosen up (1) or down (-1) among those that cover each other.
export function order(by) {
  const at = now.objects.findIndex((o) => o.id === now.chosen[0]), to = at + by;
  if (at < 0 || to < 0 || to >= now.objects.length) return;
  const objects = [...now.objects];
  [objects[at], objects[to]] = [objects[to], objects[at]];
  commit({ objects });
}

// Chooses an object alone, or beside others; choosing is no step of history.
export function choose(id, beside) {
  const others = now.chosen.filter((one) => one !== id);
  now.chosen = beside ? (others.length < now.chosen.length ? others : [...others, id]) : [id];
}

// The uppermost object that is seen at a point of the photo.
export const at = ([x, y]) => now.objects.findLast((o) => !o.hidden && holds(o.runs, x, y, now.photo.height));

// The object that a tool works on, null with a message where that is not one alone.
export function target(what) {
  const found = free();
  if (found.length === 1) return found[0];
  fail(now.chosen.length === 1 ? 'It is locked: unlock it first.' : `Choose one object to ${what}.`);
  return null;
}
