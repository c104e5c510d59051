// Undo and redo: what was before each change of prompts, sliders and objects. Objects are never changed, only replaced,
// so that a step back is the old list.

import { refresh } from './prompts.js';
import { retell } from './renaming.js';
import { $ } from './say.js';
import { now } from './state.js';

const snapshot = () => ({ prompt: now.prompt, view: now.before ?? now.view, objects: now.objects, chosen: now.chosen, renames: now.renames });

// Takes a new prompt, new sliders, or other objects; what was before can be undone.
export function commit(change) {
  now.past.push(snapshot());
  now.before = null;
  now.future = [];
  for (const key of ['prompt', 'view', 'objects', 'chosen', 'renames']) if (change[key]) now[key] = change[key];
  return refresh();
}

export async function travel(from, to) {
  const there = from.at(-1), { photo } = now;
  if (!there) return;
  if (there.renames !== now.renames && !(await retell(now.renames, there.renames) && photo === now.photo && from.at(-1) === there)) return;
  from.pop();
  to.push({ ...snapshot(), view: now.view });
  Object.assign(now, there);
  $('text').value = now.prompt.text;
  refresh();
}

// The point that a press set is none after all.
export function takeBack() {
  now.past.length = now.press.before.length;
  now.prompt = now.press.before.prompt;
  now.press = null;
}
