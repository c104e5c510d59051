// Keeps objects in the folder that `fastsam label` was started with: one file beside each photo. browser.js says what a store is.

import { server } from '../engine.js';

async function ask(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new Error('the server does not answer: is it still running? What you do is kept here, and saved once it does');
  }
  if (response.ok) return response;
  let detail = `the server answered ${response.status}`;
  try { detail = (await response.json()).detail ?? detail; } catch { /* no JSON: the status must do */ }
  throw Object.assign(new Error(detail), { status: response.status });
}

const of = (what, name) => `/v1/project/${what}?photo=${encodeURIComponent(name)}`;
const json = (body) => ({ method: 'PUT', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
let about = null;  // the project as it was when the page was opened

// Whether there is a server, and it has a project.
export async function isThere() {
  if (!server) return false;
  try { about = await (await ask('/v1/project')).json(); } catch { return false; }
  return true;
}

export const canAdd = false;
export const photos = async () => about.photos;
export const kinds = async () => about.classes;
export const setKinds = (names) => ask('/v1/project/classes', json({ classes: names }));
export async function file(name) {
  const blob = await (await ask(of('photo', name))).blob();
  return new File([blob], name.split('/').pop(), { type: blob.type });
}
export const labels = async (name) => (await ask(of('labels', name))).json();
export const save = async (name, made, version) => (await (await ask(of('labels', name), json({ ...made, version }))).json()).version;

export const counts = async () => (await (await ask('/v1/project/counts')).json()).photos;
export const rename = async (old, to) => (await (await ask('/v1/project/rename', { ...json({ old, new: to }), method: 'POST' })).json()).photos;

// All that is kept, as a file: the server reads its folder.
export async function exported(format) {
  const response = await ask(`/v1/project/export?format=${format}`);
  const called = /filename="([^"]+)"/.exec(response.headers.get('Content-Disposition') ?? '');
  return { blob: await response.blob(), name: called?.[1] ?? format };
}
