// Undo and redo: what was before each change of prompts and sliders.

import { refresh } from './prompts.js';
import { $ } from './say.js';
import { now } from './state.js';

// Takes a new prompt or new sliders; what was before can be undone.
export function commit(change) {
  now.past.push({ prompt: now.prompt, view: now.before ?? now.view });
  now.before = null;
  now.future = [];
  if (change.prompt) now.prompt = change.prompt;
  if (change.view) now.view = change.view;
  return refresh();
}

export function travel(from, to) {
  const there = from.pop();
  if (!there) return;
  to.push({ prompt: now.prompt, view: now.view });
  ({ prompt: now.prompt, view: now.view } = there);
  $('text').value = now.prompt.text;
  refresh();
}

// The point that a press set is none after all.
export function takeBack() {
  now.past.length = now.press.before.length;
  now.prompt = now.press.before.prompt;
  now.press = null;
}
