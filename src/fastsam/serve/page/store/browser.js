// Keeps photos and their objects in this browser (IndexedDB): nothing leaves the machine, and a reload loses nothing.
//
// A store: photos() -> [{ name, state }]; add(file, name); file(name) -> File; labels(name) -> { version, width, height, done,
// objects: [{ name, counts, hidden, locked }] } or null; save(name, labels, version) -> the new version, and rejects with
// status 409 where another has saved since `version`; drop(name); kinds() -> [name]; setKinds(names); counts() -> { photo:
// { class: number } }; rename(from, to) a class in all photos -> { photo: [version before, version after] }. canAdd: whether photos
// may be added; exported?(format) -> { blob, name }, where it writes what it keeps by itself.

const opening = new Promise((resolve, reject) => {
  const request = indexedDB.open('fastsam', 1);
  request.onupgradeneeded = () => { for (const name of ['photos', 'labels', 'facts']) request.result.createObjectStore(name); };
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(new Error('this browser keeps nothing: what you label is lost with the page'));
});
opening.catch(() => {});

// Runs `steps` in one transaction, and resolves to what they say once it is on the disk.
async function within(names, mode, steps) {
  const db = await opening;
  return new Promise((resolve, reject) => {
    const work = db.transaction(names, mode, { durability: 'strict' });
    let found;
    work.oncomplete = () => resolve(found);
    work.onabort = work.onerror = () => reject(work.problem ?? new Error(work.error?.name === 'QuotaExceededError'
      ? 'this browser has no room left: save your work as a file, then remove photos' : 'this browser could not save'));
    steps(work, (value) => { found = value; });
  });
}

const get = (name, key) => within([name], 'readonly', (work, say) => { work.objectStore(name).get(key).onsuccess = (e) => say(e.target.result); });
const put = (name, key, value) => within([name], 'readwrite', (work) => work.objectStore(name).put(value, key));

export const canAdd = true;

export const photos = () => within(['photos', 'labels'], 'readonly', (work, say) => {
  work.objectStore('photos').getAllKeys().onsuccess = (keys) => {
    const found = keys.target.result.map((name) => ({ name, state: 'new' }));
    say(found);
    for (const one of found) {
      work.objectStore('labels').get(one.name).onsuccess = ({ target: { result } }) => {
        if (result) one.state = result.done ? 'done' : result.objects.length ? 'work' : 'new';
      };
    }
  };
});

export const add = (file, name) => put('photos', name, file);
export async function file(name) {
  const found = await get('photos', name);
  if (!found) throw new Error('the photo is no longer in this browser');
  return found;
}
export const labels = async (name) => (await get('labels', name)) ?? null;

const fresh = () => crypto.getRandomValues(new Uint32Array(2)).join('-');

export const save = (name, made, version) => within(['labels'], 'readwrite', (work, say) => {
  const kept = work.objectStore('labels');
  kept.get(name).onsuccess = ({ target: { result } }) => {
    if ((result?.version ?? null) !== version) {
      work.problem = Object.assign(new Error('another window has saved this photo meanwhile'), { status: 409 });
      work.abort();
      return;
    }
    const next = fresh();
    kept.put({ ...made, version: next }, name);
    say(next);
  };
});

// Calls `each(labels, name)` with what is kept of every photo; what it returns, if anything, is kept instead.
const throughout = (mode, each, result) => within(['labels'], mode, (work, say) => {
  say(result);
  work.objectStore('labels').openCursor().onsuccess = ({ target: { result: at } }) => {
    if (!at) return;
    const made = each(at.value, at.key);
    if (made) at.update(made);
    at.continue();
  };
});

export function counts() {
  const found = {};
  return throughout('readonly', ({ objects }, name) => {
    found[name] = {};
    for (const one of objects) found[name][one.name] = (found[name][one.name] ?? 0) + 1;
  }, found);
}

export function rename(from, to) {
  const found = {};
  return throughout('readwrite', (labels, name) => {
    if (!labels.objects.some((one) => one.name === from)) return null;
    found[name] = [labels.version, fresh()];
    return { ...labels, version: found[name][1], objects: labels.objects.map((one) => (one.name === from ? { ...one, name: to } : one)) };
  }, found);
}

export const drop = (name) => within(['photos', 'labels'], 'readwrite', (work) => {
  for (const kind of ['photos', 'labels']) work.objectStore(kind).delete(name);
});

export const kinds = async () => (await get('facts', 'kinds')) ?? [];
export const setKinds = (names) => put('facts', 'kinds', names);
