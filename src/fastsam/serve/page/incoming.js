// How photos come in: chosen, dropped, pasted, or an example.

import * as ahead from './ahead.js';
import * as engine from './engine.js';
import { showAnswer } from './drawing.js';
import { isVideo, openFilm } from './film.js';
import { add } from './photos.js';
import { $, fail } from './say.js';
import { now } from './state.js';

const browse = () => $('file').click();
$('choose').addEventListener('click', browse);
$('browse').addEventListener('click', browse);
$('browse-folder').addEventListener('click', () => $('folder').click());
for (const id of ['file', 'folder']) $(id).addEventListener('change', () => { bring([...$(id).files]); $(id).value = ''; });

for (const button of document.querySelectorAll('[data-example]')) {
  button.addEventListener('click', async () => {
    const name = button.dataset.example;
    try {
      add([new File([await engine.example(name)], name, { type: 'image/jpeg' })]);
    } catch (error) {
      fail(error.message);
    }
  });
}

let dragged = 0;
addEventListener('dragenter', (event) => { event.preventDefault(); dragged += 1; $('dropping').hidden = false; });
addEventListener('dragleave', () => { dragged -= 1; if (dragged <= 0) $('dropping').hidden = true; });
addEventListener('dragover', (event) => event.preventDefault());
addEventListener('drop', async (event) => {
  event.preventDefault();
  dragged = 0;
  $('dropping').hidden = true;
  const entries = [...event.dataTransfer.items].map((one) => one.webkitGetAsEntry?.()), files = [...event.dataTransfer.files];
  const found = entries.some((one) => one?.isDirectory) ? (await Promise.all(entries.filter(Boolean).map(within))).flat() : files;
  if (found.length) bring(found); else fail('What was dropped is no file.');
});
addEventListener('paste', (event) => {
  const files = [...(event.clipboardData?.files ?? [])].filter((f) => f.type.startsWith('image/'));
  if (files.length) add(files);
});
addEventListener('resize', () => now.photo && showAnswer());
addEventListener('pagehide', () => { ahead.drop(); if (now.photo) engine.forget(now.photo.id); });

// A video is opened; of photos all are.
const bring = (files) => { const video = files.find(isVideo); if (video) openFilm(video); else add(photosOf(files)); };

// Of several files those that are photos by their type; of one, that one, so that its error is said.
const photosOf = (files) => (files.length === 1 ? files : files.filter((f) => f.type.startsWith('image/') || /\.(heic|heif|tiff?|jp2|p[bgpn]m)$/i.test(f.name)))
  .sort((a, b) => pathOf(a).localeCompare(pathOf(b), undefined, { numeric: true }));
const pathOf = (file) => file.webkitRelativePath || file.path || file.name;

// All files of what was dropped, folders in folders too.
async function within(entry) {
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
    return [Object.assign(file, { path: entry.fullPath.slice(1) })];
  }
  const reader = entry.createReader(), found = [];
  for (;;) {  // a browser gives a hundred at a time
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) break;
    found.push(...some);
  }
  return (await Promise.all(found.map(within))).flat();
}
