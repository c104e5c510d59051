// Names from a vocabulary.

import * as engine from './engine.js';
import { kept } from './masks.js';
import { withPhoto } from './photo.js';
import { fail, working } from './say.js';
import { sift } from './sift.js';
import { now } from './state.js';

// Whether other masks stay than those that have their names from the vocabulary.
export const isStale = () => Boolean(now.photo.naming) && now.photo.naming.among.join() !== kept(now.photo.segments, now.view).join();

// Gives the masks that stay their names: each object once, or every mask.
export async function call({ words, all }) {
  const one = now.photo, naming = { words, all, among: kept(one.segments, now.view) };
  working(null, 'Naming…');
  try {
    const names = await withPhoto((id) => engine.name(id, naming));
    if (one !== now.photo) return;
    one.naming = naming;
    rename(one, names);
    fail('');
    sift();
  } catch (error) {
    if (one === now.photo) fail(error.message);
  } finally {
    if (one === now.photo) working();
  }
}

export function rename(one, names) {
  names.forEach((name, i) => Object.assign(one.segments[i], { name: name ?? 'object', named: name !== null }));
}
