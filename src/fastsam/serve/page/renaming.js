// Another name for a class in all photos. The objects of the open photo are left to history.

import { renameStored, saveKinds } from './photos.js';
import { fail } from './say.js';
import { now } from './state.js';

// Whether it was done; what stands in the way is said.
export async function renameEverywhere(from, to) {
  if (now.kinds.includes(to)) { fail(`There is a class ${to} already: choose the objects and give them that class.`); return false; }
  try {
    await renameStored(from, to);
  } catch (error) {
    fail(error.message);
    return false;
  }
  now.kinds = now.kinds.map((name) => (name === from ? to : name));
  saveKinds();
  fail('');
  return true;
}

// Takes names back, or gives them again, until they are those of another step of history; whether that was possible.
export async function retell(was, is) {
  for (const [from, to] of was.slice(is.length).reverse()) if (!await renameEverywhere(to, from)) return false;
  for (const [from, to] of is.slice(was.length)) if (!await renameEverywhere(from, to)) return false;
  return true;
}
