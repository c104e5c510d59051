// The next photo, looked for while one works on this one, so that it is there at once.

import * as engine from './engine.js';
import { fileOf } from './photos.js';
import { now } from './state.js';

const CALM = 500;  // milliseconds after which nobody waits for this photo any more
let next = null;  // { item, options, done: promise of { file, result }, or of null }

// Begins with the photo after the one that is open, once its first answers are there.
export function prepare(options) {
  const item = now.items[now.items.indexOf(now.item) + 1], mine = now.opened;
  if (!item || next?.item === item) return;
  setTimeout(async () => {
    await now.waiting;
    if (mine === now.opened && next?.item !== item) { drop(); next = { item, options, done: begin(item, options) }; }
  }, CALM);
}

async function begin(item, options) {
  try {
    const file = await fileOf(item);
    return { file, result: await engine.segment(file, options, () => {}) };
  } catch { return null; }  // it is said when the photo is opened
}

// What was found in a photo; null if nobody has looked with these options.
export function taken(item, options) {
  const { item: known, options: with_, done } = next ?? {};
  if (known !== item) return null;
  next = null;
  if (JSON.stringify(with_) === JSON.stringify(options)) return done;
  forget(done);
  return null;
}

const forget = (done) => done.then((found) => found && engine.forget(found.result.id));

export function drop() {
  if (next) forget(next.done);
  next = null;
}
